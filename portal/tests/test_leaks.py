"""Nothing of feedback is seen by students before its release: every page, address, file, feed, search, mail and notice.

The words that must not be seen are planted wherever feedback is kept. The walk follows every link of a student's pages,
and besides asks every address of the product with every number, slug and name that could fit it. After the release the
words are found: the walk can fail.
"""

import contextlib
import io
import itertools
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

from portal import agenda, delivering, releasing, reviewing
from portal.models import Assignment, CohortWeek, Membership, Notice, Phrase, Release, Remark, Submission
from portal.tests.test_remarks import say, write
from portal.tests.test_reviewing import browser, hand_in

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.usefixtures("clock", "lab")]
# One word for each place in which feedback is kept. No page has them by chance.
WORDS = {"comment": "quokka", "remark": "axolotl", "phrase": "okapi", "agenda": "pangolin", "aside": "numbat"}


@pytest.fixture
def planted(cohort, aye, bo, chit, admin, now):
    """aye's case study with feedback that is ready, bo's with a draft; a release is planned. Answers aye's."""
    case = Assignment.objects.get(week__number=2)
    mine = hand_in(case, cohort, aye, now)
    say(mine, chit, now, WORDS["remark"], place="p-1")
    write(mine, chit, now, comment=WORDS["comment"], points={"cost": 3, "why": 4})
    write(hand_in(case, cohort, bo, now), chit, now, comment=WORDS["comment"], ready=False)
    reviewing.keep_aside(mine, admin, comment=WORDS["aside"], points={}, now=now)
    Phrase.objects.create(course=cohort.course, label=WORDS["phrase"], text_md=WORDS["phrase"])
    agenda.choose(cohort, case.week, [(WORDS["agenda"], 1)], by=chit, now=now)
    releasing.plan(cohort, case.week, at=now + timedelta(hours=40), by=chit, now=now)
    return mine


def patterns(found, prefix=""):
    """[(name, {parameter: converter})] of each named address but those of the admin, where no student is let in."""
    for one in found:
        if isinstance(one, URLPattern):
            yield f"{prefix}{one.name}", one.pattern.converters
        elif one.namespace != "admin":
            yield from patterns(one.url_patterns, f"{prefix}{one.namespace}:" if one.namespace else prefix)


def addresses(submission, student):
    """Every address of the product with everything that could fit: numbers of weeks, rows, slugs, receipts."""
    remark, cohort = Remark.objects.get(), submission.cohort
    fitting = {
        ("number", "IntConverter"): [2],
        ("number", "StringConverter"): list(Submission.objects.values_list("number", flat=True)),
        ("receipt", "StringConverter"): list(Submission.objects.values_list("number", flat=True)),
        ("cohort", "SlugConverter"): [cohort.slug],
        ("slug", "SlugConverter"): ["case", "reading", "s3-for-ml"],
        ("token", "StringConverter"): [Membership.objects.get(user=student).feed_token],
    }
    anything = {
        "IntConverter": sorted({2, remark.pk, submission.pk, submission.feedback.pk}),
        "UUIDConverter": ["00000000-0000-4000-8000-000000000000"],
    }
    for name, converters in patterns(get_resolver().url_patterns):
        kinds = [(parameter, type(converter).__name__) for parameter, converter in converters.items()]
        choices = [fitting.get(kind) or anything.get(kind[1], [cohort.scope]) for kind in kinds]
        for values in itertools.product(*choices):
            with contextlib.suppress(NoReverseMatch):
                yield reverse(name, kwargs=dict(zip(converters, values, strict=True)))


def read(client, address):
    answer = client.get(address)
    if answer.streaming:
        return b"".join(answer.streaming_content).decode("utf-8", "replace") + repr(answer.headers)
    return answer.content.decode("utf-8", "replace") + repr(answer.headers)


def walk(client, submission, student):
    """{address: what it answers} of everything that the student can ask for by looking."""
    seen, waiting = {}, [reverse("portal:today"), *addresses(submission, student)]
    # What a search finds is not what it was asked for: one word is asked, the others are looked for.
    waiting += [f"{reverse('portal:search')}?q={word}" for word in ("Cloud", "feedback")]
    waiting += [
        f"{submission.feedback.get_absolute_url()}?part=&at=p-1",
        f"{submission.get_absolute_url()}?view=preview",
    ]
    leaving = {reverse("account_logout")}
    while waiting:
        address = waiting.pop()
        if address in seen or address in leaving or len(seen) > 400:
            continue
        seen[address] = read(client, address)
        for link in re.findall(r'(?:href|src|action|hx-get)="(/[^"#]*)', seen[address]):
            link = link.replace("&amp;", "&")
            # An address that leads back to where one came from would nest without an end.
            if not link.startswith(("/static/", "/admin/")) and "next=" not in link:
                waiting.append(link)
    return seen


def leaks(seen, words):
    return sorted({(word, address) for address, said in seen.items() for word in words if word in said})


def told(student):
    """All that mail and notices say to a student."""
    notices = Notice.objects.filter(person=student).values_list("subject", "words", "url")
    letters = [f"{one.subject} {one.message().as_string()}" for one in mail.outbox if student.email in one.to]
    return " ".join([*(" ".join(row) for row in notices), *letters])


@pytest.mark.slow
def test_before_the_release_no_word_of_it_reaches_a_student_and_after_it_their_own_do(
    planted, aye, bo, chit, now, clock
):
    for student in (aye, bo):
        seen = walk(browser(student), planted, student)
        assert len(seen) > 100
        assert leaks(seen, WORDS.values()) == []
        assert "7 of 10" not in "".join(seen.values())
        delivering.deliver(now)
        assert not [word for word in WORDS.values() if word in told(student)]
        assert "Your feedback is here" not in told(student)
    # Half a second before its time it is still hidden.
    at = now + timedelta(hours=40)
    assert releasing.release_due(at - timedelta(milliseconds=500)) == 0
    assert releasing.release_due(at) == 1
    clock.move_to(at)
    # And then the same words are found: by aye, of their own; bo's is a draft, and aye's is not bo's.
    shown = {
        address: read(browser(aye), address)
        for address in (reverse("portal:today"), planted.feedback.get_absolute_url())
    }
    assert {word for word, _ in leaks(shown, WORDS.values())} == {WORDS[one] for one in ("comment", "remark", "agenda")}
    assert "Your feedback is here" in told(aye) and WORDS["comment"] not in told(aye)
    of_bo = [address for address in addresses(planted, bo) if re.match("/(receipts|review|week|submissions)/", address)]
    of_others = [word for place, word in WORDS.items() if place != "agenda"]  # that one is everybody's from now on
    assert leaks({address: read(browser(bo), address) for address in of_bo}, of_others) == []
    assert "Your feedback is here" not in told(bo)


def test_nobody_without_an_account_sees_a_word_either(planted, aye):
    assert leaks({address: read(Client(), address) for address in addresses(planted, aye)}, WORDS.values()) == []


def test_the_admins_log_and_lists_hold_no_word_of_it(planted, cohort, now):
    from conftest import person

    root = browser(person("root", is_staff=True, is_superuser=True))
    pages = ["portal_feedback_changelist", "portal_submission_changelist", "portal_release_changelist", "index"]
    seen = {page: read(root, reverse(f"admin:{page}")) for page in pages}
    assert leaks(seen, WORDS.values()) == []
    assert browser(cohort.memberships.students().first().user).get(reverse("admin:index")).status_code == 302


def test_a_student_changes_nothing_by_sending_forms_to_the_desk(planted, aye, cohort):
    client = browser(aye)
    for name in ("review_desk", "remark"):
        assert (
            client.post(reverse(f"portal:{name}", args=[cohort.slug, planted.number]), {"text": "x"}).status_code == 404
        )
    for name, args in (("release", [cohort.slug, 2]), ("agenda", [cohort.slug, 2]), ("phrases", [cohort.slug])):
        assert client.post(reverse(f"portal:{name}", args=args), {"do": "now"}).status_code == 404
    upload = reverse("portal:gradebook_upload", args=[cohort.slug])
    assert client.post(upload, {"file": io.BytesIO(b"id\n1\n")}).status_code == 404
    assert not Release.objects.exists()


# --- the planned release -------------------------------------------------------------------------------------


def test_a_planned_release_is_done_once_and_tells_its_planner_what_stayed_hidden(planted, cohort, chit, now):
    at = now + timedelta(hours=40)
    assert [releasing.release_due(at) for _ in range(3)] == [1, 0, 0]
    done = Release.objects.get()
    assert (done.count, done.by, done.at) == (1, chit, at)
    assert Notice.objects.get(person=chit).subject == "Week 2: feedback on 1 released, 1 still hidden"


def test_a_plan_that_was_taken_back_releases_nothing(planted, cohort, chit, now):
    address = reverse("portal:release", args=[cohort.slug, 2])
    assert "Take the plan back" in browser(chit).get(address).content.decode()
    browser(chit).post(address, {"do": "cancel"})
    assert releasing.release_due(now + timedelta(days=9)) == 0 and not Release.objects.exists()


def test_a_release_is_planned_in_the_cohorts_own_time(cohort, chit, aye, now):
    week = CohortWeek.objects.get(cohort=cohort, week__number=2)
    address = reverse("portal:release", args=[cohort.slug, 2])
    assert 'value="2025-09-20T09:00"' in browser(chit).get(address).content.decode()
    browser(chit).post(address, {"do": "plan", "at": "2025-09-20T09:00"})
    assert cohort.planned_releases.get().at == week.feedback_at
    browser(chit).post(address, {"do": "plan", "at": "2025-09-20T10:00"})
    assert cohort.planned_releases.get().at == week.feedback_at + timedelta(hours=1)
    for wrong, said in (("2025-09-01T09:00", "That time is over"), ("soon", "no date and time")):
        answer = browser(chit).post(address, {"do": "plan", "at": wrong})
        assert answer.status_code == 422 and said in answer.content.decode()


def test_the_preflight_names_points_without_a_word_and_who_has_left(cohort, aye, bo, chit, now):
    case = Assignment.objects.get(week__number=2)
    write(hand_in(case, cohort, aye, now), chit, now, comment=" ")
    write(hand_in(case, cohort, bo, now), chit, now)
    cohort.memberships.filter(user=bo).delete()
    flight = releasing.preflight(cohort, case.week, now)
    assert [one.submission.student for one in flight.silent] == [aye]
    assert [one.submission.student for one in flight.gone] == [bo]
    said = browser(chit).get(reverse("portal:release", args=[cohort.slug, 2])).content.decode()
    assert "1 with points and not one word" in said and "2 people are told" in said
