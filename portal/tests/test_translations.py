"""The catalog says all that the pages say, and says it safely: pure, without gettext's programs.

docs/languages.md says how a string is added. `make messages` writes what is held here.
"""

import ast
import gettext
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.utils.translation import override
from django.utils.translation.template import templatize

from portal import languages, script_words

ROOT = Path(settings.BASE_DIR)
OTHERS = [code for code in languages.OFFERED if code != languages.DEFAULT]
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[ds]|%%|(?<!\w)\{\w*\}")
TAG = re.compile(r"</?[a-z][^<>]*>")

# --- what is in a catalog ------------------------------------------------------------------------------------


@cache
def catalog(code):
    """[(context, msgid, msgid of many, [msgstr], is it fuzzy)] of the .po; the header is the one of msgid ""."""
    found, entry, at, is_fuzzy = [], {}, None, False
    for line in [*(ROOT / f"locale/{code}/LC_MESSAGES/django.po").read_text().splitlines(), ""]:
        if line.startswith("#,"):
            is_fuzzy = is_fuzzy or "fuzzy" in line
        elif match := re.match(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?) (".*")$', line):
            at = match[1]
            entry[at] = ast.literal_eval(match[2])
        elif line.startswith('"'):
            entry[at] += ast.literal_eval(line)
        elif not line.strip() and entry:
            said = [words for name, words in entry.items() if name.startswith("msgstr")]
            found.append((entry.get("msgctxt"), entry["msgid"], entry.get("msgid_plural"), said, is_fuzzy))
            entry, is_fuzzy = {}, False
    return found


def messages(code):
    return [entry for entry in catalog(code) if entry[1]]


@pytest.mark.parametrize("code", OTHERS)
def test_every_message_is_translated(code):
    assert len(messages(code)) > 300
    missing = [msgid for _, msgid, _, said, is_fuzzy in messages(code) if is_fuzzy or not all(said) or not said]
    assert not missing


def tags(words):
    """In any order, as the languages have theirs. What an attribute says to the reader is said in their language."""
    return sorted(re.sub(r'\b(data-over|title|aria-label|alt)="[^"]*"', r"\1", tag) for tag in TAG.findall(words))


@pytest.mark.parametrize("code", OTHERS)
def test_what_is_filled_in_and_what_is_markup_is_the_same(code):
    wrong = []
    for _, msgid, many, said, _ in messages(code):
        for words in said:
            placeholders = set(PLACEHOLDER.findall(words))
            same = placeholders in (set(PLACEHOLDER.findall(msgid)), set(PLACEHOLDER.findall(many or msgid)))
            if not same or tags(words) != tags(msgid):
                wrong.append(f"{msgid} | {words}")
            if "<" in TAG.sub("", words) and "<" not in TAG.sub("", msgid):
                wrong.append(f"a stray <: {words}")
    assert not wrong


# Zawgyi, an older font's own code, writes U+1031 before its consonant, U+1039 for the killer, and stacks by U+1060 on.
NOT_BURMESE = {
    "a letter of another language, or of Zawgyi": re.compile(
        r"[^\x00-\x7f\u00a0-\u00ff\u1000-\u1032\u1036-\u104f\u2000-\u20cf\u2100-\u22ff\ufeff]"
    ),
    "a vowel before its consonant": re.compile(r"(?<![\u1000-\u102a\u103b-\u103f])\u1031"),
    "a stacker that stacks nothing": re.compile(r"\u1039(?![\u1000-\u1021])"),
    "a sign without its letter": re.compile(r"(?<![\u1000-\u103f])[\u102b-\u1030\u1032\u1036-\u103e]"),
    "a zero or a seven for a letter": re.compile(r"[\u1040\u1047](?=[\u102b-\u103e])"),
}


def test_the_burmese_is_unicode():
    wrong = [
        f"{why}: {words}"
        for _, _, _, said, _ in messages("my")
        for words in said
        for why, sign in NOT_BURMESE.items()
        if sign.search(words)
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("ေက်ာင္း", "a vowel before its consonant"),
        ("အိမ္", "a stacker that stacks nothing"),
        ("ျမန္မာ", "a sign without its letter"),
        ("ภาษา", "a letter of another language, or of Zawgyi"),
        ("၀ါ", "a zero or a seven for a letter"),
    ],
)
def test_what_is_not_burmese_is_found(words, why):
    assert NOT_BURMESE[why].search(words)


@pytest.mark.parametrize("code", OTHERS)
def test_what_is_compiled_is_what_is_written(code):
    with open(ROOT / f"locale/{code}/LC_MESSAGES/django.mo", "rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog
    written = {}
    for context, msgid, many, said, _ in messages(code):
        key = f"{context}\x04{msgid}" if context else msgid
        written |= {(key, n): words for n, words in enumerate(said)} if many else {key: said[0]}
    compiled.pop("", None)
    assert compiled == written, "run make messages"


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalog_says_whether_it_was_reviewed(code):
    head = (ROOT / f"locale/{code}/LC_MESSAGES/django.po").read_text().partition("msgid")[0]
    assert ("NOT REVIEWED" in head) == (code in languages.NOT_REVIEWED)


# --- what the product says -----------------------------------------------------------------------------------

KITS = {"tests", "migrations", "kits", "simulator"}
# What the operator reads in the terminal; and what a kind is refused, which is said again (labs/retelling.py).
NOT_PAGES = {"management", "backup.py", "restoring.py", "kinds"}


@cache
def templates():
    found = [path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt")]
    return {str(path.relative_to(ROOT)): path.read_text() for path in sorted(found)}


@cache
def modules():
    found = [
        path for app in ("portal", "labs", "costs") for path in (ROOT / app).rglob("*.py") if not KITS & {*path.parts}
    ]
    return {str(path.relative_to(ROOT)): path.read_text() for path in sorted(found)}


CALLS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 2, "ngettext_lazy": 2}
IN_CONTEXT = {"pgettext": 1, "pgettext_lazy": 1, "npgettext": 2, "npgettext_lazy": 2}


def asked_for(source):
    """{(context, msgid)} of the calls of a module, as xgettext reads them."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
        if name not in CALLS | IN_CONTEXT:
            continue
        words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if name in CALLS and words:
            found.add((None, words[0]))
        elif name in IN_CONTEXT and len(words) > 1:
            found.add((words[0], words[1]))
    return found


def asked_for_by(template):
    """The same of a template. Django writes it as calls between x's, each argument as Python writes it."""
    found, words = set(), r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    for call in re.finditer(rf"\b(n?pgettext|n?gettext|_)\({words}(?:, ?{words})?", templatize(template)):
        first, second = ast.literal_eval(call[2]), call[3] and ast.literal_eval(call[3])
        found.add((first, second) if "pgettext" in call[1] else (None, first))
    return found


@pytest.mark.parametrize("code", OTHERS)
def test_whatever_a_page_says_is_in_the_catalog(code):
    known = {(context, msgid) for context, msgid, *_ in catalog(code)}
    asked = set().union(*map(asked_for, modules().values()), *map(asked_for_by, templates().values()))
    # `%` of a template is written `%%` in the catalog's sentences with values, and `%` in those without.
    missing = {
        (context, msgid)
        for context, msgid in asked
        if not {(context, msgid), (context, msgid.replace("%%", "%"))} & known
    }
    assert not missing, "run make messages, and translate them"


# Names and forms of writing that are the same in every language.
SAME = {
    *(
        "Lightsout",
        "AWS",
        "IAM",
        "S3",
        "EC2",
        "USD",
        "CSV",
        "PDF",
        "JSON",
        "YAML",
        "ARN",
        "Free Tier",
        "Markdown",
        "SHA",
    ),
    *("UTC", "Ctrl", "Enter", "Esc", "Alt", "CloudFormation", "CloudShell", "SageMaker", "Google", "GitHub", "QR"),
}
SPOKEN = re.compile(
    r'\b(?:aria-label|title|placeholder|alt|label|data-busy|data-over|data-ago|data-confirm|data-by)="([^"]*)"'
)
ARGUMENT = re.compile(r'\b(?:title|text|label|aside|hint|action|words)="([^"]*[a-z][^"]*)"')


def bare_words(template):
    """What a template says outside of translate tags: in text, in attributes, and in what it hands to others."""
    inside = commented = 0
    html, found = [], []
    for token in Lexer(template).tokenize():
        if token.token_type == TokenType.BLOCK:
            word = token.contents.split()[0]
            inside += {"blocktranslate": 1, "endblocktranslate": -1}.get(word, 0)
            commented += {"comment": 1, "endcomment": -1}.get(word, 0)
            if word == "include" and not commented:
                found += ARGUMENT.findall(token.contents)
            html.append("\n" if word in ("if", "elif", "else", "endif", "for", "endfor", "block", "endblock") else "")
        elif token.token_type == TokenType.TEXT and not inside and not commented:
            html.append(token.contents)
        elif token.token_type == TokenType.VAR and not inside and not commented:
            html.append("\0")
    text = re.sub(r"<!--.*?-->|<(script|style|svg|code|pre|kbd)\b.*?</\1>", "", "".join(html), flags=re.S)
    found += SPOKEN.findall(text)
    found += re.sub(r"<[^>]*>", "\n", text).split("\n")
    return [words for piece in found if (words := _spoken(piece))]


def _spoken(piece):
    piece = re.sub(r"&\w+;|https?://\S+|\S+@\S+|\b\w+[-_.:/]\S+", " ", piece.replace("\0", " "))
    for name in SAME:
        piece = re.sub(rf"\b{re.escape(name)}\b", " ", piece)
    return piece.strip() if re.search(r"[A-Za-z]{2}", piece) else ""


# What is English for all of its readers: a record that is compared, and searched for, as it was written.
IN_ENGLISH = {"templates/labs/certificate.txt"}


# What waits for its turn: a file is taken out when all of it is said through gettext.
def test_no_template_says_a_word_in_english_alone():
    wrong = {
        name: words for name, text in templates().items() if name not in IN_ENGLISH and (words := bare_words(text))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Save</p>", ["Save"]),
        ('<p>{% translate "Save" %}</p>', []),
        ("<p>{% blocktranslate trimmed %}Save it{% endblocktranslate %} now</p>", ["now"]),
        ('<a aria-label="Close">×</a>', ["Close"]),
        ('{% include "x.html" with title="Close" %}', ["Close"]),
        ('{% include "x.html" with title=_("Close") kind="warning" %}', []),
        ("<p>{{ n }} AWS · <code>aws s3 ls</code></p>", []),
        ("{% if a %}On{% endif %}", ["On"]),
        ("{% comment %}Why.{% endcomment %}", []),
    ],
)
def test_what_a_template_says_is_read_as_a_reader_sees_it(template, found):
    assert bare_words(template) == found


# Who is spoken to by these sees it on a page. Programs speak with each other in English.
SPEAKS = {"success", "error", "warning", "info", "Refused", "ValidationError", "NotDone", "NotTaken", "NotAccepted"}
SPEAKS |= {"HttpResponse", "HttpResponseBadRequest", "HttpResponseForbidden", "add_error", "Refusal", "NotPossible"}


def bare_sentences(source):
    """What a module says to people as a bare literal or f-string: (line, words)."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name, owner = getattr(node.func, "attr", getattr(node.func, "id", "")), getattr(node.func, "value", None)
        is_message = name not in ("success", "error", "warning", "info") or getattr(owner, "id", "") == "messages"
        if name not in SPEAKS or not is_message:
            continue
        for given in node.args:
            literals = [given, given.body, given.orelse] if isinstance(given, ast.IfExp) else [given]
            for one in literals:
                text = _literal(one)
                if " " in text.strip() and re.search("[A-Za-z]{2}", text):
                    found.append((node.lineno, text))
    return found


def _literal(node):
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) for part in node.values)
    return ""


def test_no_module_tells_a_person_something_in_english_alone():
    wrong = {
        name: words
        for name, source in modules().items()
        if not NOT_PAGES & {*Path(name).parts} and (words := bare_sentences(source))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('messages.success(request, "It is saved.")', 1),
        ('messages.success(request, _("It is saved."))', 0),
        ('raise Refused(f"{name} is too large.")', 1),
        ('raise Refused(_("%(name)s is too large.") % {"name": name})', 0),
        ('log.warning("nobody is told of this")', 0),
        ('HttpResponse("alive")', 0),
    ],
)
def test_what_a_module_tells_a_person_is_found(source, count):
    assert len(bare_sentences(source)) == count


# --- scripts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", script_words.WORDS)
def test_what_a_script_says_lies_in_the_page(script):
    source = (ROOT / f"static/{script}.js").read_text()
    asked = set(re.findall(r"translated\('((?:[^'\\]|\\.)*)'", source))
    assert asked == set(script_words.of(script))


def test_no_script_speaks_past_the_pages_words():
    """A sentence, as a literal that is not asked for."""
    wrong = {}
    for path in (ROOT / "static").glob("*.js"):
        source = re.sub(r"/\*.*?\*/|^\s*//.*?$|\s// .*?$", "", path.read_text(), flags=re.S | re.M)
        source = re.sub(r"translated\('(?:[^'\\]|\\.)*'", "", source)
        if found := re.findall(r"'([A-Z][a-z]+(?: [a-z]+)+[^']*)'", source):
            wrong[path.name] = found
    assert not wrong


def test_the_words_of_scripts_come_in_the_language_of_the_page():
    for code in OTHERS:
        with override(code):
            for script in script_words.WORDS:
                assert all(words != english for english, words in script_words.of(script).items())
