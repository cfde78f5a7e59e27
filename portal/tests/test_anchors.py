"""Remarks find their place again in a new version: on a corpus of made revisions, and case by case."""

from random import Random

import pytest

from portal import anchors
from portal.anchors import Anchor, Passage

WORDS = (  # noqa: SIM905
    "cloud region latency price model bucket lambda cold start memory container image layer notebook cell "
    "endpoint batch spot instance budget alarm queue stream retry token cache index vector chunk recall error "
    "churn customer teller branch fraud rule score night peak salary disk snapshot role policy key trail "
    "metric graph"
).split()
JOINS = (  # noqa: SIM905
    "the a of with for because without after before under our two three every no more less than which and but"
).split()
BURMESE = (  # noqa: SIM905
    "ကျွန်တော် စရိတ် တွက် ပြီး နေ့စဉ် ဒေတာ သိမ်း ဆာဗာ ပိတ် ခဲ့ သည် ဈေး သက်သာ စမ်းသပ် ရလဒ်"
).split()


def sentence(rng, burmese=False):
    if burmese:
        return "".join(rng.choice(BURMESE) for _ in range(rng.randrange(6, 14))) + "။"
    words = [rng.choice(WORDS if n % 2 else JOINS) for n in range(rng.randrange(8, 18))]
    return f"{' '.join(words).capitalize()} {rng.randrange(1000)}."


def paragraph(rng, burmese=False):
    return " ".join(sentence(rng, burmese) for _ in range(rng.randrange(1, 5)))


def revised(rng, texts, meant):
    """(new texts, index of the meant one or None): as a student revises. The meant one is edited, moved or cut."""
    rows = [(n, text) for n, text in enumerate(texts)]
    for _ in range(rng.randrange(1, 4)):
        act = rng.choice(["insert", "cut another", "move", "typo", "add", "reword", "cut a sentence", "merge"])
        at = rng.randrange(len(rows))
        mine = next((n for n, row in enumerate(rows) if row[0] == meant), None)
        if act == "insert":
            rows.insert(at, (-1, paragraph(rng)))
        elif act == "cut another" and rows[at][0] != meant and len(rows) > 3:
            del rows[at]
        elif act == "move" and mine is not None:
            rows.insert(at, rows.pop(mine))
        elif mine is not None and act == "typo":
            text = rows[mine][1]
            cut = rng.randrange(len(text))
            rows[mine] = (meant, text[:cut] + rng.choice("aeiou ") + text[cut + 1 :])
        elif mine is not None and act == "add":
            rows[mine] = (meant, f"{rows[mine][1]} {sentence(rng)}")
        elif mine is not None and act == "reword":
            words = rows[mine][1].split()
            for _ in range(max(1, len(words) // 5)):
                words[rng.randrange(len(words))] = rng.choice(WORDS)
            rows[mine] = (meant, " ".join(words))
        elif mine is not None and act == "cut a sentence" and rows[mine][1].count(". ") > 1:
            rows[mine] = (meant, rows[mine][1].partition(". ")[2])
        elif mine is not None and act == "merge" and mine + 1 < len(rows) and rows[mine + 1][0] != meant:
            rows[mine : mine + 2] = [(meant, f"{rows[mine][1]} {rows[mine + 1][1]}")]
    if rng.random() < 0.1:
        rows = [row for row in rows if row[0] != meant]
    return [text for _, text in rows], next((n for n, row in enumerate(rows) if row[0] == meant), None)


def passages(texts, kind="p"):
    return [Passage(f"{kind}-{n}", text) for n, text in enumerate(texts, start=1)]


@pytest.mark.once
def test_at_least_95_of_100_remarks_find_their_place_again():
    """400 remarks on paragraphs, parts of paragraphs and cells; a tenth of these are gone, and must be lost."""
    rng, right, wrong = Random(20250918), 0, []
    for case in range(400):
        texts = [paragraph(rng, burmese=case % 6 == 0) for _ in range(rng.randrange(4, 16))]
        meant = rng.randrange(len(texts))
        kind = ("p", "cell", "page")[case % 3]
        before = passages(texts, kind)
        words = texts[meant].split(" ")
        start = rng.randrange(max(1, len(words) - 6))
        quote = " ".join(words[start : start + 6]) if case % 2 else ""
        anchor = anchors.anchor(before, f"{kind}-{meant + 1}", quote)
        texts_now, where = revised(rng, texts, meant)
        found = anchors.find(anchor, passages(texts_now, kind))
        if (found.place if found else None) == (f"{kind}-{where + 1}" if where is not None else None):
            right += 1
        else:
            wrong.append((case, found, where))
    assert right / 400 >= 0.95, f"{right} of 400; {wrong[:10]}"


TEXT = passages(["We chose Lambda.", "The cold start fell from 9.1 s to 3.4 s.", "It costs $0.04 a month."])


def test_an_unchanged_text_keeps_every_remark_where_it_was():
    for passage in TEXT:
        assert anchors.find(anchors.anchor(TEXT, passage.place), TEXT) == anchors.Found(passage.place)


def test_a_paragraph_that_moved_is_said_to_have_moved():
    anchor = anchors.anchor(TEXT, "p-2", "from 9.1 s to 3.4 s")
    found = anchors.find(anchor, passages([TEXT[2].text, TEXT[0].text, TEXT[1].text]))
    assert found == anchors.Found("p-3", is_moved=True)


def test_words_that_were_edited_are_said_to_have_changed():
    found = anchors.find(
        anchors.anchor(TEXT, "p-2"), passages([TEXT[0].text, "The cold start fell from 9.1 s to 3.1 s!"])
    )
    assert found == anchors.Found("p-2", is_changed=True)


def test_a_paragraph_that_is_gone_is_lost():
    assert anchors.find(anchors.anchor(TEXT, "p-2"), [TEXT[0], TEXT[2]]) is None
    assert anchors.find(anchors.anchor(TEXT, "p-2"), []) is None


def test_of_two_equal_paragraphs_the_one_with_the_same_neighbours_is_meant():
    twice = passages(["Case one is about fraud.", "Cloud.", "Case two is about tumours.", "Cloud."])
    anchor = anchors.anchor(twice, "p-4")
    now = passages(["A new beginning.", "Case one is about fraud.", "Cloud.", "Case two is about tumours.", "Cloud."])
    assert anchors.find(anchor, now).place == "p-5"


def test_a_quote_that_is_not_there_is_not_believed():
    assert anchors.anchor(TEXT, "p-1", "never said").quote == "We chose Lambda."
    assert anchors.anchor(TEXT, "p-9") is None


def test_a_page_without_text_is_found_by_its_number():
    scan = passages(["", "Words."], "page")
    assert anchors.find(Anchor("page-1"), scan) == anchors.Found("page-1")
    assert anchors.find(Anchor("page-2"), scan) is None
