"""From a key in what was handed in to the clean version: who sees what, who is told, and what counts as on time."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from portal import holding, inspecting, submitting
from portal.guard import apart, scanning
from portal.models import Assignment, CohortWeek, Draft, Inspection, Look, Notice, Submission

pytestmark = [pytest.mark.django_db, pytest.mark.guard, pytest.mark.usefixtures("clock")]
AN_ID = "AKIA" + "Q3EGRJ7ZLM2XKWPT"
HELD = f"I lean to the cloud.\n\nThe key {AN_ID} was too wide.\n"
CLEAN = HELD.replace(AN_ID, "REDACTED")


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """The scanner in this process: that it has one of its own is proved in guard/test_apart.py."""

    def look_through(jobs, **_):
        for job in jobs:
            yield job, apart._report(vars(job))

    monkeypatch.setattr(apart, "look_through", look_through)


@pytest.fixture
def hand_in(cohort, aye, now):
    case = Assignment.objects.get(week__number=2)

    def in_draft(answer="", files=(), at=now):
        draft = submitting.draft_of(case, cohort, aye, now=at)
        submitting.save_draft(draft, answer, revision=draft.revision, window=str(at), now=at)
        draft.refresh_from_db()
        for name, content in files:
            submitting.add_file(draft, SimpleUploadedFile(name, content), now=at)
        received, _ = submitting.submit(draft, key=str(at), now=at)
        return received

    return in_draft


def see(client, user, received):
    """What this person sees of a version: the receipt, the desk and the feedback page in one, and its first file."""
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    pages = [client.get(received.get_absolute_url())]
    pages.append(client.get(reverse("portal:review_desk", args=[received.cohort.slug, received.number])))
    pages.append(client.get(reverse("portal:held", args=[received.number])))
    file = received.files.first()
    sent = file and client.get(reverse("portal:submission_file", args=[received.number, file.pk])).status_code
    return "".join(page.content.decode() for page in pages if page.status_code == 200), sent


def test_until_it_was_looked_through_only_its_owner_sees_it(client, hand_in, aye, chit):
    received = hand_in("I lean to the cloud.", [("a.md", b"text")])
    shown, sent = see(client, chit, received)
    assert ("I lean to the cloud" in shown, sent) == (False, 404)
    assert "being looked through" in shown
    shown, sent = see(client, aye, received)
    assert ("I lean to the cloud" in shown, sent) == (True, 200)
    assert inspecting.inspect_due(received.received_at) == 1
    shown, sent = see(client, chit, received)
    assert ("I lean to the cloud" in shown, sent) == (True, 200)
    assert "being looked through" not in shown


def test_a_key_is_held_back_and_the_time_stands(client, hand_in, aye, chit, admin, now):
    received = hand_in("See the file.", [("keys.md", HELD.encode()), ("clean.md", b"nothing")])
    inspecting.inspect_due(now)
    again = Submission.objects.get(pk=received.pk)
    assert (again.received_at, again.is_late, again.version) == (now, False, 1)
    shown, sent = see(client, chit, received)
    assert sent == 404
    assert "held back" in shown and "See the file." in shown
    # Why, and not what: neither the key nor its place.
    assert AN_ID not in shown and "KWPT" not in shown and "line 3" not in shown
    assert (
        client.get(reverse("portal:submission_file", args=[received.number, received.files.last().pk])).status_code
        == 200
    )
    shown, sent = see(client, aye, received)
    assert sent == 200
    assert "AWS access key" in shown and "line 3" in shown and "KWPT" in shown and "make the key inactive" in shown


def test_a_key_in_the_answer_is_held_back_with_the_answer(client, hand_in, chit, now):
    received = hand_in(HELD, [("clean.md", b"nothing")])
    inspecting.inspect_due(now)
    shown, sent = see(client, chit, received)
    assert ("lean to the cloud" in shown, sent) == (False, 200)
    assert "This is held back" in shown


def test_the_student_and_the_admins_are_told_once_and_never_the_key(hand_in, aye, chit, admin, now):
    received = hand_in(HELD)
    for _ in range(2):
        inspecting.inspect_due(now)
    told = Notice.objects.filter(key=f"held-{received.pk}")
    assert {(one.person, one.is_urgent) for one in told} == {(aye, True), (admin, False)}
    assert {one.url for one in told} == {reverse("portal:held", args=[received.number])}
    assert all("line 3" in one.words for one in told)
    kept = (
        str(list(Notice.objects.values())) + str(list(Look.objects.values())) + str(list(Inspection.objects.values()))
    )
    assert AN_ID not in kept


def test_an_admin_lets_a_false_alarm_through_with_a_reason_that_stays(client, hand_in, chit, admin, now):
    received = hand_in(HELD)
    inspecting.inspect_due(now)
    address, form = reverse("portal:held", args=[received.number]), {"sha256": received.answer_sha256}
    client.force_login(chit, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(address, {**form, "reason": "I want to read it"}).status_code == 404
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    shown = client.get(reverse("portal:held_all")).content.decode()
    assert received.number in shown and AN_ID not in shown
    assert "Say why" in client.post(address, {**form, "reason": " "}).content.decode()
    assert "lean to the cloud" not in see(client, chit, received)[0]
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    client.post(address, {**form, "reason": "Made up for the essay."})
    look = Look.objects.get(pk=received.answer_sha256)
    assert (look.let_through_by, look.reason, look.state) == (admin, "Made up for the essay.", Look.State.FOUND)
    assert "lean to the cloud" in see(client, chit, received)[0]
    # The same bytes in the next version are not held a second time; a new key is.
    later = hand_in(HELD, [("b.md", b"more")], at=now + timedelta(minutes=1))
    inspecting.inspect_due(now)
    assert not later.inspection.is_held
    with pytest.raises(submitting.Refused, match="not held back"):
        holding.let_through(later, received.answer_sha256, by=admin, reason="again", now=now)


def test_what_cannot_be_looked_through_is_held_back_and_told(client, hand_in, chit, admin, now, monkeypatch):
    received = hand_in("text", [("big.md", b"text of it")])
    monkeypatch.setattr(apart, "_report", lambda job: scanning.Report(trouble=("it took longer than 30 s",)))
    inspecting.inspect_due(now)
    shown, sent = see(client, chit, received)
    assert sent == 404
    assert "could not be looked through" in shown
    assert Notice.objects.filter(person=admin, subject__startswith="We could not look through").exists()


def test_a_round_that_dies_is_gone_again_and_nobody_looks_twice_at_once(hand_in, now, monkeypatch):
    received = hand_in("text")
    real = apart.look_through
    monkeypatch.setattr(apart, "look_through", lambda jobs, **_: iter(1 / 0 for _ in [1]))
    with pytest.raises(ZeroDivisionError):
        inspecting.inspect_due(now)
    asked = []
    monkeypatch.setattr(apart, "look_through", lambda jobs, **_: asked.extend(jobs) or real(jobs))
    assert inspecting.inspect_due(now + timedelta(seconds=9)) == 0, "another may be at it"
    assert asked == []
    assert inspecting.inspect_due(now + inspecting.CLAIM + timedelta(seconds=1)) == 1
    assert len(asked) == 1 and received.inspection


def test_a_draft_tells_of_the_key_before_it_is_handed_in(client, hand_in, aye, now):
    hand_in("text")
    submitting.add_file(Draft.objects.get(), SimpleUploadedFile("keys.md", HELD.encode()), now=now)
    inspecting.inspect_due(now)
    client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
    shown = client.get(Assignment.objects.get(week__number=2).get_absolute_url()).content.decode()
    assert "A password or a key is in this file" in shown and "line 3" in shown


# --- the clean version ---------------------------------------------------------------------------------------


@pytest.fixture
def deadline(cohort):
    return CohortWeek.objects.get(cohort=cohort, week__number=2).due_at


def handed_in_late(hand_in, deadline, before, after):
    """(the held version of before the deadline, the one of after it), both inspected."""
    held = hand_in(*before, at=deadline - timedelta(hours=1))
    inspecting.inspect_due(deadline)
    late = hand_in(*after, at=deadline + timedelta(hours=5))
    assert late.is_late
    inspecting.inspect_due(deadline + timedelta(hours=5))
    late.refresh_from_db()
    return held, late


def test_a_clean_copy_after_the_deadline_counts_as_on_time(hand_in, deadline, aye):
    files = [("keys.md", HELD.encode()), ("table.md", b"| a |")]
    held, late = handed_in_late(hand_in, deadline, ("Text.", files), ("Text.", [("keys.md", CLEAN.encode())]))
    assert (late.is_late, late.after_model_answer, late.inspection.on_time_as) == (False, False, held)
    assert late.received_at == deadline + timedelta(hours=5), "the time that it came at is told as it was"
    assert Notice.objects.filter(person=aye, key=f"on-time-{late.pk}").exists()


@pytest.mark.parametrize(
    "after",
    [
        ("Another text.", [("keys.md", CLEAN.encode())]),
        ("Text.", [("keys.md", CLEAN.replace("cloud", "rack").encode())]),
        ("Text.", [("keys.md", CLEAN.encode()), ("more.md", b"more")]),
        ("Text.", [("keys.md", CLEAN.encode()), ("table.md", b"| b |")]),
        ("Text. ", [("keys.md", HELD.replace(AN_ID, AN_ID[:-1] + "Z").encode())]),  # still a key in it
    ],
)
def test_a_late_version_in_which_anything_else_was_changed_stays_late(hand_in, deadline, after):
    files = [("keys.md", HELD.encode()), ("table.md", b"| a |")]
    _, late = handed_in_late(hand_in, deadline, ("Text.", files), after)
    assert (late.is_late, late.inspection.on_time_as) == (True, None)


def test_without_a_held_version_before_the_deadline_late_is_late(hand_in, deadline):
    _, late = handed_in_late(hand_in, deadline, ("Text.", ()), ("Text.", [("a.md", b"new")]))
    assert late.is_late
