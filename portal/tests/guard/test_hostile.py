"""Each hostile file on its whole way: handed in, received, shown, sent back, looked through. Nothing runs, nothing
falls over, and each gets a clear answer."""

import uuid
from html.parser import HTMLParser

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from portal import inspecting, notebooks, submitting
from portal.guard import apart
from portal.models import Assignment, Draft, Look
from portal.tests.guard import hostile

TYPES = ["md", "ipynb", "pdf", "zip", "png"]


class WhatRuns(HTMLParser):
    """Collects from a page what a browser would run or load as a page, were there no CSP beside it."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        values = {name: (value or "").strip().lower() for name, value in attrs}
        if tag in ("iframe", "object", "embed", "base", "style") or any(name.startswith("on") for name in values):
            self.found.append((tag, attrs))
        if tag == "script" and not values.get("src", "").startswith("/static/"):
            self.found.append((tag, attrs))
        if any(values.get(name, "").startswith(("javascript:", "data:text")) for name in ("href", "src", "action")):
            self.found.append((tag, attrs))


def what_runs(page):
    parser = WhatRuns()
    parser.feed(page)
    return parser.found


def test_the_eye_of_these_tests_sees_what_would_run():
    assert len(what_runs(hostile.SCRIPT + hostile.HANDLERS + hostile.SVG)) >= 5


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """What the scanner's own process says of each, one after the other."""
    folder = tmp_path_factory.mktemp("hostile")
    jobs = []
    for number, (name, (content, _, _)) in enumerate(hostile.CORPUS.items()):
        (folder / str(number)).write_bytes(content)
        jobs.append(apart.Job(name, path=str(folder / str(number))))
    return {job.name: report for job, report in apart.look_through(jobs, each=60, whole=400)}


def test_every_file_is_looked_through_or_given_up_with_a_reason(reports):
    assert list(reports) == list(hostile.CORPUS)
    taken = {name: is_held for name, (_, refused, is_held) in hostile.CORPUS.items() if not refused}
    assert {name: not reports[name].is_clean for name in taken} == taken, {name: reports[name] for name in taken}
    assert not [name for name, report in reports.items() if any("could not cope" in why for why in report.trouble)]


@pytest.mark.django_db
@pytest.mark.guard
def test_each_is_taken_or_refused_with_a_reason_and_nothing_of_it_runs(
    signed_in, aye, chit, cohort, clock, reports, now
):
    Assignment.objects.update(allowed_types=TYPES, max_files=99)
    client, here = signed_in(aye), [2, "case"]
    form = {"window": uuid.uuid4().hex, "revision": 0, "sent": 0, "answer": hostile.HANDLERS, "whole": "yes"}
    for name, (content, why, _) in hostile.CORPUS.items():
        upload = SimpleUploadedFile("x", content)
        upload.name = name  # Django's own form would have cut it before we see it
        draft = submitting.draft_of(Assignment.objects.get(week__number=2), cohort, aye, now=now)
        try:
            added, _ = submitting.add_file(draft, upload, now=now)
        except submitting.Refused as refusal:
            assert why and why in str(refusal), (name, str(refusal))
        else:
            assert not why, name
            assert not set('/\\\r\n"\u202e\x00') & set(added.name) - {'"'}
    answer = client.post(reverse("portal:submit", args=here), form)
    assert answer.status_code == 302, "the handing in itself is refused to nobody"
    received = Draft.objects.get().assignment.submissions.get()
    by_name = {file.sha256: file for file in received.files.all()}
    pages = [
        answer.url,
        reverse("portal:assignment", args=here),
        reverse("portal:assignment", args=here) + "?view=preview",
    ]
    for file in by_name.values():
        download = client.get(reverse("portal:submission_file", args=[received.number, file.pk]))
        assert download["Content-Disposition"].startswith("attachment")
        assert "\n" not in download["Content-Disposition"]
        assert download["X-Content-Type-Options"] == "nosniff"
        assert download["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "html" not in download["Content-Type"] and "svg" not in download["Content-Type"]
        assert len(b"".join(download.streaming_content)) == file.size
        if file.name.endswith(".ipynb"):
            pages.append(reverse("portal:submission_notebook", args=[received.number, file.pk]))
    for page in pages:
        shown = client.get(page)
        assert shown.status_code == 200, page
        body = shown.content.decode()
        assert what_runs(body) == [], page
        assert len(shown.content) <= (150_000 if page.endswith("/notebook/") else 400_000), (page, len(body))
        assert "script-src 'self'" in shown["Content-Security-Policy"]
    # What is held is known from the scanner; the others are seen by those who teach.
    for file in by_name.values():
        report = reports.get(file.name)
        state = Look.State.UNREAD if report is None or report.trouble else Look.State.CLEAN
        Look.objects.get_or_create(pk=file.sha256, defaults={"state": state})
    Look.objects.create(pk=received.answer_sha256, state=Look.State.CLEAN)
    assert inspecting.inspect_due(now) == 1
    desk = signed_in(chit).get(reverse("portal:review_desk", args=[cohort.slug, received.number]))
    assert desk.status_code == 200
    assert what_runs(desk.content.decode()) == []
    assert "held back" in desk.content.decode()


@pytest.mark.django_db
def test_a_picture_of_a_notebook_is_sent_as_that_and_nothing_else(signed_in, aye, cohort, clock, now):
    Assignment.objects.update(allowed_types=TYPES)
    draft = submitting.draft_of(Assignment.objects.get(week__number=2), cohort, aye, now=now)
    content = hostile.CORPUS["script.ipynb"][0]
    submitting.add_file(draft, SimpleUploadedFile("a.ipynb", content), now=now)
    received, _ = submitting.submit(draft, key="k", now=now)
    args = [received.number, received.files.get().pk]
    sent = signed_in(aye).get(reverse("portal:submission_picture", args=[*args, 6, 1]))
    assert (sent.status_code, sent["Content-Type"], sent["X-Content-Type-Options"]) == (200, "image/png", "nosniff")
    assert sent["Content-Security-Policy"] == "default-src 'none'; sandbox"
    # In cell 5 is a drawing that calls itself a PNG.
    assert signed_in(aye).get(reverse("portal:submission_picture", args=[*args, 5, 1])).status_code == 404
    assert notebooks.picture(notebooks.read(content), 5, 1) is None


def test_a_file_of_a_gigabyte_that_is_nowhere_is_given_up_at_once(tmp_path):
    with open(tmp_path / "sparse.md", "wb") as held:
        held.truncate(2**30)
    [(_, report)] = apart.look_through([apart.Job("sparse.md", path=str(tmp_path / "sparse.md"))], each=30, whole=60)
    assert report.trouble == ("it is larger than 100 MB",)
