"""The Docker lab: what its checks say of answers and images that are not what the steps ask for."""

import json
import runpy

import pytest

from labs.catalog import get
from labs.catalog.docker_basics import fraud_of, image
from labs.catalog.functions import MODEL_1, SCORE, STRANGE
from labs.tests.by_hand import LabByHand
from labs.tests.kinds.examples import AccountOfAye

HERE = {"fraud": fraud_of(MODEL_1), "python": "3.12.4", "machine": "laptop"}
THERE = {**HERE, "python": "3.11.9", "machine": "0a1b2c"}


@pytest.fixture
def lab(simulator):
    made = LabByHand(get("docker-basics"), AccountOfAye(simulator, "600000000008"))
    yield made
    made.end()


def said(lab, slug, **files):
    for name, content in files.items():
        body = content if isinstance(content, str) else json.dumps(content)
        lab.view.client("s3").put_object(Bucket=lab.resources["bucket"]["name"], Key=f"{name}.json", Body=body)
    found = lab.check(slug)
    assert not found.passed
    return found.said


def test_the_check_expects_what_the_program_of_the_kit_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model-1.json").write_text(MODEL_1)
    (tmp_path / "score.py").write_text(SCORE)
    assert round(runpy.run_path("score.py")["score"](STRANGE), 4) == fraud_of(MODEL_1)


@pytest.mark.simulator
def test_an_answer_must_be_the_models_and_the_containers_by_another_python(lab):
    assert "no here.json" in said(lab, "here")
    assert "no here.json" in said(lab, "here", here="no json")
    assert "should say" in said(lab, "here", here={**HERE, "fraud": 0.5})
    assert "no there.json" in said(lab, "run", here=HERE)
    assert "is not the container" in said(lab, "run", there=HERE)
    assert "is not the container" in said(lab, "run", there={**THERE, "machine": "laptop"})
    assert "your machine said" in said(lab, "run", there={**THERE, "fraud": 0.5})


@pytest.mark.simulator
def test_images_are_told_by_their_tags_and_layers(lab):
    one, two = image("fraud:1", "e"), image("fraud:2", "f")
    for wrong in ([], {}, [{"RepoTags": None}], [two]):
        assert "no image.json of fraud:1" in said(lab, "build", image=wrong)
    assert "of two images" in said(lab, "again", images=[one])
    assert "in this order" in said(lab, "again", images=[two, one])
    assert "the same layers" in said(lab, "again", images=[one, {**two, "RootFS": one["RootFS"]}])
    other = {"RootFS": {"Layers": ["sha256:" + "0" * 64]}}
    assert "no layer in common" in said(lab, "again", images=[one, {**two, **other}])
