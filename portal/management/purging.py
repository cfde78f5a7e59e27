"""Which classes our pages use, and a stylesheet cut down to them. For maintainers only (`make vendor`).

A class name may have holes: `text-*` stands for what `class="text-{{ colour }}"` can become, and keeps every class
that fits. Nothing here imports Django, so that a test can hand it plain text.
"""

import ast
import re
from pathlib import Path

# A class selector, with the escapes that Tabler uses (`.w-1\/2`).
_CLASS = re.compile(r"\.((?:[a-zA-Z_-]|\\.)(?:[\w-]|\\.)*)")
_OUTPUT = re.compile(r"\{\{.*?\}\}", re.S)
_TAG = re.compile(r"\{%.*?%\}", re.S)
COMMENT = re.compile(r"\{#.*?#\}|\{% comment.*?endcomment %\}|<!--.*?-->", re.S)
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_ATTRIBUTE = re.compile(r"\bclass\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.S)
_WORD = re.compile(r"[A-Za-z_][\w*/-]*|\*[\w*/-]+")
_VARIABLE = re.compile(r"--tblr-[\w-]+")
_DATA = re.compile(r"\[(data-[\w-]+)")
CUT = "\x01"


# --- what is used --------------------------------------------------------------------------------------


def certain_classes(template):
    """Class names (possibly with holes) that stand in full in a template's class attributes.

    Parts joined by tags (`is-{% if on %}on{% else %}off{% endif %}`) cannot be read without running the template: they
    are left to `possible_classes`.
    """
    text = _TAG.sub(CUT, _OUTPUT.sub("*", COMMENT.sub("", template)))
    found = set()
    for double, single in _ATTRIBUTE.findall(text):
        for token in (double or single).split():
            parts = [part for part in token.split(CUT) if part]
            if len(parts) == 1 and parts[0].strip("*"):
                found.add(parts[0])
    return found


def possible_classes(template):
    """Every class that the template may come to write: what is certain, what its tags join, what its tags quote."""
    text = _TAG.sub(CUT, _OUTPUT.sub("*", COMMENT.sub("", template)))
    found = set()
    for double, single in _ATTRIBUTE.findall(text):
        for token in (double or single).split():
            parts = [part for part in token.split(CUT) if part.strip("*")]
            found.update(parts)
            found.update(parts[0] + part for part in parts[1:])
    for tag in _TAG.findall(template) + _OUTPUT.findall(template):
        for double, single in _QUOTED.findall(tag):
            found.update(_words(double or single))
    return found


def classes_in_python(source):
    """Words of every string of a Python file but its docstrings. A word that an f-string completes is none: there we
    write ids and keys so, and `page-{number}` would keep all of Tabler's pages. A class stands in full in Python."""
    tree = ast.parse(source)
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            words = _words("".join(p.value if isinstance(p, ast.Constant) else "*" for p in node.values))
            found |= {word for word in words if "*" not in word}
            said.update(id(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            found |= _words(node.value)
    return found


def classes_in_script(source):
    return set().union(*(_words(double or single) for double, single in _QUOTED.findall(source)), set())


def _words(text):
    return {word for word in _WORD.findall(text) if word.strip("*")}


def used_classes(root):
    """All class names that the templates, scripts and Python of the tree under `root` may write."""
    used = set()
    for path in _files(root, ["templates"], "*.html") + _files(root, ["labs", "costs", "portal"], "*.html"):
        used |= possible_classes(path.read_text())
    for path in _files(root, ["static"], "*.js"):
        used |= classes_in_script(path.read_text())
    for path in _files(root, ["labs", "costs", "portal"], "*.py"):
        if not {"tests", "migrations", "management"} & set(path.parts):
            used |= classes_in_python(path.read_text())
    return used


def own_words(root):
    """What else of ours may name Tabler's custom properties: stylesheets, scripts, templates, and Python for charts."""
    paths = _files(root, ["static"], "*.css") + _files(root, ["static"], "*.js") + _files(root, ["templates"], "*.html")
    paths += [path for path in _files(root, ["labs", "costs", "portal"], "*.py") if "tests" not in path.parts]
    return "\n".join(path.read_text() for path in paths)


def _files(root, folders, pattern):
    return sorted(
        path for folder in folders for path in (Path(root) / folder).rglob(pattern) if "vendor" not in path.parts
    )


class Wanted:
    """Is a class wanted? Answers for plain names and for names with holes.

    `has_data(selector)`: whether every data- attribute that it asks for stands in our own words.
    """

    def __init__(self, used, own=""):
        self.own = own
        self.plain = {name for name in used if "*" not in name}
        # A hole beside a hyphen, as in `text-*`: other words with a star in them are prose.
        holes = (name for name in used if re.search(r"[a-z]-\*|\*-[a-z]", name))
        self.shapes = [re.compile(r"[\w-]*".join(map(re.escape, name.split("*")))) for name in sorted(holes)]

    def __contains__(self, name):
        return name in self.plain or any(shape.fullmatch(name) for shape in self.shapes)

    def has_data(self, selector):
        return all(name in self.own for name in _DATA.findall(selector))


# --- the stylesheet ------------------------------------------------------------------------------------


def class_names(css):
    """The class names that a stylesheet has rules for."""
    found = set()
    for prelude, body in parse(css):
        if isinstance(body, list):
            found |= class_names(body)
        elif body is not None and not prelude.startswith("@"):
            found |= {name.replace("\\", "") for name in _CLASS.findall(prelude)}
    return found


def parse(css):
    """[(prelude, body)]: body is None for a statement, a list for a block of rules, else the declarations as text."""
    if isinstance(css, list):
        return css
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    rules, start, at = [], 0, 0
    while at < len(css):
        if css[at] in "\"'":
            at = css.index(css[at], at + 1)
        elif css[at] == ";":
            rules.append((css[start:at].strip(), None))
            start = at + 1
        elif css[at] == "{":
            end = _closing(css, at)
            prelude, inner = css[start:at].strip(), css[at + 1 : end]
            holds_rules = prelude.startswith(("@media", "@supports", "@layer", "@container"))
            rules.append((prelude, parse(inner) if holds_rules else inner.strip()))
            at, start = end, end + 1
        at += 1
    return rules


def _closing(css, opening):
    """Where the brace opened at `opening` closes; braces inside strings do not count."""
    depth, at = 0, opening
    while True:
        if css[at] in "\"'":
            at = css.index(css[at], at + 1)
        elif css[at] == "{":
            depth += 1
        elif css[at] == "}":
            depth -= 1
            if not depth:
                return at
        at += 1


def split_selectors(prelude):
    """The selectors of a list, split at the commas that are not inside brackets."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(prelude):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append(prelude[start:at])
            start = at + 1
    return [*parts, prelude[start:]]


def _can_match(selector, wanted):
    """Whether anything on our pages can match. What stands inside :not(), :is() and the like is given the benefit."""
    bare = selector
    while (shorter := re.sub(r"\([^()]*\)", "", bare)) != bare:
        bare = shorter
    if not wanted.has_data(bare):
        return False
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    return all(name.replace("\\", "") in wanted for name in _CLASS.findall(bare))


def purge(css, used, also=""):
    """`css` without the rules, key frames and custom properties that nothing uses, minified as it came.

    `used` are class names as `used_classes` gives them; `also` is other text (our own stylesheet and scripts) whose
    `var(--tblr-...)`, animation names and data- attributes count as uses.
    """
    rules = _keep(parse(css), Wanted(used, also))
    text = _write(rules)
    while True:
        named = set(_VARIABLE.findall(re.sub(r"(?<=[;{\s])--tblr-[\w-]+(?=\s*:)", "", text + also)))
        rules = _drop_unread(rules, named, text + also)
        shorter = _write(rules)
        if shorter == text:
            return text
        text = shorter


def _keep(rules, wanted):
    kept = []
    for prelude, body in rules:
        if isinstance(body, list):
            inner = _keep(body, wanted)
            if inner:
                kept.append((prelude, inner))
        elif body is None or prelude.startswith("@"):
            kept.append((prelude, body))
        else:
            selectors = [one for one in split_selectors(prelude) if _can_match(one, wanted)]
            if selectors and body:
                kept.append((",".join(selectors), body))
    return kept


def _drop_unread(rules, named, text):
    kept = []
    for prelude, body in rules:
        if isinstance(body, list):
            inner = _drop_unread(body, named, text)
            if inner:
                kept.append((prelude, inner))
        elif prelude.startswith("@keyframes"):
            name = prelude.split()[-1]
            if re.search(rf"animation(-name)?:[^;}}]*\b{re.escape(name)}\b", text):
                kept.append((prelude, body))
        elif body is None or prelude.startswith("@"):
            kept.append((prelude, body))
        else:
            lines = [line for line in _declarations(body) if _is_read(line, named)]
            if lines:
                kept.append((prelude, ";".join(lines)))
    return kept


def _is_read(declaration, named):
    name = declaration.split(":", 1)[0].strip()
    return not name.startswith("--tblr-") or name in named


def _declarations(body):
    """Split at the semicolons that are not inside strings or brackets."""
    parts, depth, quote, start = [], 0, "", 0
    for at, letter in enumerate(body):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        else:
            depth += (letter == "(") - (letter == ")")
            if letter == ";" and not depth:
                parts.append(body[start:at])
                start = at + 1
    return [part.strip() for part in [*parts, body[start:]] if part.strip()]


def _write(rules):
    return "".join(
        f"{prelude};" if body is None else f"{prelude}{{{_write(body) if isinstance(body, list) else body}}}"
        for prelude, body in rules
    )
