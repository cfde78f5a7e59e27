"""PURE. Where a remark belongs in a text that has changed since it was written.

An Anchor keeps what was quoted, what stood before and after it, and the place. In another version it is found by its
words first: the quote itself, else the passage that is most like it, by the quote, its surroundings and how near it is.
Likeness is that of words and pairs of words, each counting the less the more passages have it; of what is written
without spaces (Burmese), of short runs of letters.
"""

from dataclasses import dataclass

CONTEXT = 200  # characters kept before and after
QUOTE = 600  # characters kept of a quote
# A passage is taken for the anchor's own from here on; below it the remark is said to be lost.
ENOUGH = 0.42
UNSPACED = 20  # characters: a longer word is a sentence of a script without spaces


@dataclass(frozen=True)
class Passage:
    """One paragraph, notebook cell or PDF page: its place ("p-3", "cell-4", "page-2") and its plain text."""

    place: str
    text: str


@dataclass(frozen=True)
class Anchor:
    place: str
    quote: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Found:
    """Where an anchor is now. is_moved: at another place; is_changed: what it quoted is not there in these words."""

    place: str
    is_moved: bool = False
    is_changed: bool = False


def tidy(text):
    """The text as it is compared: white space of one kind. Case and letters stay."""
    return " ".join(text.split())


def anchor(passages, place, quote=""):
    """An Anchor for the passage at `place`, or for a `quote` within it; None when there is no such place.

    A quote that is not in the passage is not believed: the whole passage is quoted instead.
    """
    texts = [tidy(passage.text) for passage in passages]
    at = next((n for n, passage in enumerate(passages) if passage.place == place), None)
    if at is None:
        return None
    quote = tidy(quote)
    if not quote or quote not in texts[at]:
        quote = texts[at]
    head, _, tail = texts[at].partition(quote)
    before = tidy(" ".join([*texts[max(0, at - 2) : at], head]))
    after = tidy(" ".join([tail, *texts[at + 1 : at + 3]]))
    return Anchor(place, quote[:QUOTE].strip(), before[-CONTEXT:].strip(), after[:CONTEXT].strip())


def find(wanted, passages):
    """Where the anchor is in these passages: a Found, or None when it is lost."""
    texts = [tidy(passage.text) for passage in passages]
    if not wanted.quote:
        # A page without a word of text (a scan, a picture) can only be found by its number.
        same = [passage for passage in passages if passage.place == wanted.place and not tidy(passage.text)]
        return Found(wanted.place) if same else None
    quoting = [n for n, text in enumerate(texts) if wanted.quote in text]
    near = _number(wanted.place, passages)
    scores = _likenesses(wanted, [_grams(text) for text in texts], near, quoting or range(len(texts)))
    if not scores:
        return None
    best = max(scores, key=scores.get)
    if not quoting and scores[best] < ENOUGH:
        return None
    place = passages[best].place
    return Found(place, is_moved=place != wanted.place, is_changed=not quoting)


def _likenesses(wanted, here, near, candidates):
    """{index: 0 to 1} of the candidates: how much each is the one that was meant. here: the grams of each passage."""
    quote, before, after = _grams(wanted.quote), _grams(wanted.before), _grams(wanted.after)
    # What stands in many passages says little about which one was meant.
    weight = {gram: 1 / max(1, sum(gram in other for other in here)) for gram in quote}
    scores = {}
    for at in candidates:
        shared = sum(weight[gram] for gram in quote & here[at])
        covered = shared / (shared + len(quote - here[at]))
        kept = len(before & set().union(*here[max(0, at - 2) : at + 1]))
        kept += len(after & set().union(*here[at : at + 3]))
        around = kept / max(1, len(before) + len(after))
        scores[at] = 0.7 * covered + 0.2 * around + 0.1 / (1 + abs(at - near) / 4)
    return scores


def _number(place, passages):
    """The index that a place would have among the passages: places count from 1 within their kind."""
    at = next((n for n, passage in enumerate(passages) if passage.place == place), None)
    if at is not None:
        return at
    number = place.rpartition("-")[2]
    return int(number) - 1 if number.isdigit() else 0


def _grams(text):
    """Words and pairs of words; of what is written without spaces (Burmese), runs of three and five letters."""
    words = text.casefold().split()
    found = {*words, *zip(words, words[1:], strict=False)}
    for word in words:
        if len(word) > UNSPACED:
            found.update(word[n : n + size] for size in (3, 5) for n in range(len(word) - size + 1))
            found.discard(word)
    return found


def likeness(one, other):
    """0 to 1: how alike two texts are by their words."""
    first, second = _grams(tidy(one)), _grams(tidy(other))
    return 2 * len(first & second) / max(1, len(first) + len(second))
