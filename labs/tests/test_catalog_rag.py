"""The RAG lab: what its checks say of stores, of what was found, and of prompts, right and wrong."""

import json

import pytest

from labs.catalog import get
from labs.catalog.rag_small import ANSWERABLE, PASSAGES, QUESTIONS, play_embed, play_headings, play_retrieve, rag
from labs.tests.by_hand import LabByHand
from labs.tests.kinds.examples import AccountOfAye

pytestmark = pytest.mark.simulator


@pytest.fixture
def lab(simulator):
    made = LabByHand(get("rag-small"), AccountOfAye(simulator, "600000000007"))
    yield made
    made.end()


def put(lab, key, said):
    body = said if isinstance(said, str) else json.dumps(said)
    lab.view.client("s3").put_object(Bucket=lab.resources["bucket"]["name"], Key=key, Body=body)


def test_headings_make_retrieval_better_as_the_words_say(lab):
    assert len(ANSWERABLE) == 8 and len(PASSAGES) == 16
    play_embed(lab.view)
    play_retrieve(lab.view)
    assert lab.check("retrieve").said == "5 of 8 questions find their passage among the first 4."
    play_headings(lab.view)
    assert "8 of 8 questions find their passage now, and before it were 5." in lab.check("improve").said


def test_a_store_that_is_not_whole_is_told_so(lab):
    assert "no store/vectors.json" in lab.check("embed").said
    vectors = rag.embedded(PASSAGES, rag.embed_by_words, with_headings=False)
    for wrong, words in (
        ("no json", "is no JSON"),
        ([], "no numbers for p01"),
        ({**vectors, "p07": [0.5]}, "The numbers of p07"),
        ({**vectors, "p07": "many"}, "The numbers of p07"),
        ({**vectors, "p07": [0.0] * 512}, "The numbers of p07"),
        ({name: vectors[name] for name in sorted(vectors)[:9]}, "no numbers for p10"),
    ):
        put(lab, "store/vectors.json", wrong)
        found = lab.check("embed")
        assert not found.passed
        assert words in found.said


def test_what_was_found_must_be_the_nearest_by_the_numbers(lab):
    play_embed(lab.view)
    vectors = rag.embedded(PASSAGES, rag.embed_by_words, with_headings=False)
    found = rag.retrieved(QUESTIONS, vectors, rag.embed_by_words)
    far = {"q01": {**found["q01"], "nearest": [["p05", 1], ["p09", 1], ["p10", 1], ["p16", 1]]}}
    for wrong, words in (
        ({}, "says nothing of q01"),
        (
            {**found, "q02": {"vector": [1.0], "nearest": found["q02"]["nearest"]}},
            "q02 in answers/retrieved.json needs",
        ),
        ({**found, "q02": {**found["q02"], "nearest": [["p02", 1]]}}, "and 4 passages"),
        ({**found, **far}, "For q01, p01 is nearer"),
    ):
        put(lab, "answers/retrieved.json", wrong)
        said = lab.check("retrieve")
        assert not said.passed
        assert words in said.said


def test_the_same_store_again_is_no_change(lab):
    play_embed(lab.view)
    play_retrieve(lab.view)
    for name in ("vectors", "retrieved"):
        folder = {"vectors": "store", "retrieved": "answers"}[name]
        bucket = lab.resources["bucket"]["name"]
        source = {"Bucket": bucket, "Key": f"{folder}/{name}.json"}
        lab.view.client("s3").copy_object(Bucket=bucket, Key=f"{folder}/{name}-2.json", CopySource=source)
    assert "is the same as" in lab.check("improve").said


def test_a_prompt_needs_its_question_its_rules_and_the_few_passages_that_were_found(lab):
    question = next(one for one in QUESTIONS if one["id"] == "q03")
    right = rag.prompt(question, PASSAGES, [["p03", 1], ["p05", 1]])
    for wrong, words in (
        (right.replace("endpoint over", "x"), "does not ask q03"),
        (right.replace("I do not know", "No"), "does not allow"),
        (rag.prompt(question, PASSAGES, [["p05", 1]]), "has 1 passages"),
        (rag.prompt(question, PASSAGES, [[one["id"], 1] for one in PASSAGES]), "has 16 passages"),
    ):
        put(lab, "answers/prompt.txt", wrong)
        found = lab.check("answer")
        assert not found.passed
        assert words in found.said
    put(lab, "answers/prompt.txt", right)
    assert "p03, p05 and the question; no model answers in practice mode." in lab.check("answer").said
    put(lab, "answers/answer.txt", "No, delete it [p03].")
    assert "a model answered in 4 words" in lab.check("answer").said
