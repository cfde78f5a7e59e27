"""Markdown to HTML that is safe to show, whoever wrote it: course content, answers, feedback."""

import re

import nh3
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from portal import colouring

TAGS = {
    *("p", "br", "hr", "em", "strong", "del", "code", "pre", "span", "blockquote", "ul", "ol", "li", "a", "img", "div"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "th": {"class", "scope"},
    "td": {"class"},
    "span": {"class"},
    "table": {"class"},
    "div": {"class", "tabindex", "role", "aria-label"},
    "pre": {"tabindex"},
}
# Only these classes can stand in the result: what we write ourselves, and Pygments' token names.
OURS = {"table", "table-responsive", "text-end", "text-center"}


def _parser():
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])

    def fence(tokens, at, options, env):
        code, language = tokens[at].content, tokens[at].info.strip().split(" ")[0]
        env["left"] = env.get("left", colouring.MOST_OF_A_TEXT) - len(code)
        inner = colouring.coloured(code, language) if env["left"] >= 0 else colouring.escaped(code)
        # It may scroll sideways, so the keyboard must reach it.
        return f'<pre tabindex="0"><code>{inner}</code></pre>\n'

    def cell(tokens, at, options, env):
        aligned = re.search(r"text-align:(right|center)", str(tokens[at].attrGet("style") or ""))
        attributes = ' scope="col"' if tokens[at].tag == "th" else ""
        if aligned:
            attributes += ' class="text-end"' if aligned[1] == "right" else ' class="text-center"'
        return f"<{tokens[at].tag}{attributes}>"

    rules = parser.renderer.rules
    rules["fence"] = rules["code_block"] = fence
    rules["th_open"] = rules["td_open"] = cell

    def table_open(tokens, at, options, env):
        label = colouring.escaped(_("Table"))
        return f'<div class="table-responsive" tabindex="0" role="group" aria-label="{label}"><table class="table">'

    rules["table_open"] = table_open
    rules["table_close"] = lambda *_: "</table></div>"
    return parser


def _allowed(tag, attribute, value):
    if attribute != "class":
        return value
    kept = [name for name in value.split() if name in OURS or (tag == "span" and re.fullmatch(r"[a-z][a-z0-9]?", name))]
    return " ".join(kept) or None


PARSER = _parser()


def render(text, top=2):
    """HTML of `text`. Its highest heading becomes <h{top}>, the next <h{top + 1}>, without a gap, so that it fits under
    the page's own headings whatever its author began with. Raw HTML is shown, not obeyed.
    """
    return _clean(_parsed(text, top, {}), {})


def blocks(text, top=2):
    """The same text in its paragraphs, headings, lists, tables: [(plain text, HTML)], which joined are `render`."""
    env, found, depth, start = {}, [], 0, 0
    tokens = _parsed(text, top, env)
    for at, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            block = tokens[start : at + 1]
            words = [part.content for one in block for part in [one, *(one.children or ())] if not part.children]
            found.append((" ".join(" ".join(words).split()), _clean(block, env)))
            start = at + 1
    return found


def _parsed(text, top, env):
    tokens = PARSER.parse(text, env)
    headings = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    levels = sorted({token.tag for token in headings})
    for token in headings:
        token.tag = f"h{min(6, top + levels.index(token.tag))}"
    return tokens


def _clean(tokens, env):
    return nh3.clean(
        PARSER.renderer.render(tokens, PARSER.options, env),
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_allowed,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
