"""Code of people is coloured, and takes no worker away, whatever is written into it. Pure."""

import time

import pytest

from portal import colouring, prose

# What makes a pattern try again and again: openings that never close, and what could be read in two ways.
PIECES = ["'\\", '"\\', "'" * 3, "$(", "<a ", " ", "a:", "@", "&", ": ", "x y "]


@pytest.mark.parametrize("language", sorted(set(colouring.LANGUAGES.values())))
def test_no_code_takes_long(language):
    for piece in PIECES:
        code = (piece * colouring.MOST)[: colouring.MOST - 1] + "x"
        began = time.thread_time()
        colouring.coloured(code, language)
        assert time.thread_time() - began < 2, repr(piece)


@pytest.mark.parametrize("language", ["autoit", "awk", "", "no such language", "java"])
def test_other_languages_are_shown_as_they_are(language):
    assert colouring.coloured("if <a> & b", language) == "if &lt;a&gt; &amp; b"


def test_long_code_and_much_code_is_shown_as_it_is():
    assert "<span" in colouring.coloured("x = 1", "Python")
    assert "<span" not in colouring.coloured("x = 1\n" * 1000, "python")
    fence = "```python\n" + "x = 1\n" * 700 + "```\n\n"
    html = prose.render(fence * 6)
    assert 0 < html.count('<span class="n">x</span>') < 6 * 700 and html.count("x = 1") > 700
