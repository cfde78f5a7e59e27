"""Colours for code, whoever wrote it and whatever language they say it is in. Pure."""

from functools import cache

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

# Pygments knows some six hundred languages, and of many the patterns take minutes for a few thousand characters that
# were written to that end. These are what a course of the cloud writes; the others are shown as they are. The longest
# code that is coloured took less than a second in each (portal/tests/test_colouring.py).
LANGUAGES = {
    **dict.fromkeys(("python", "python3", "py", "ipython", "ipython3"), "python"),
    **dict.fromkeys(("bash", "sh", "shell"), "bash"),
    **dict.fromkeys(("console", "shell-session"), "console"),
    **dict.fromkeys(("docker", "dockerfile"), "docker"),
    **dict.fromkeys(("yaml", "yml"), "yaml"),
    **dict.fromkeys(("javascript", "js"), "javascript"),
    **{name: name for name in ("pycon", "json", "sql", "ini", "toml", "diff", "xml", "html", "css", "scala", "r")},
}
MOST = 5_000  # characters of one piece of code
MOST_OF_A_TEXT = 20_000  # of all of those in one text


def escaped(text):
    """Text as HTML shows it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def coloured(code, language):
    """HTML of `code` with its tokens as spans; without them where it is long or of a language that is not coloured."""
    lexer = _lexer(LANGUAGES.get(language.lower()))
    return highlight(code, lexer, HtmlFormatter(nowrap=True)) if lexer and len(code) <= MOST else escaped(code)


@cache
def _lexer(name):
    return name and get_lexer_by_name(name)
