"""Discussions stay in their cohort, are read once, answered and parked; nothing runs in them, nothing typed is lost."""

from datetime import timedelta

import pytest
from django.urls import reverse

from conftest import member
from portal import discussing
from portal.models import Announcement, Notice, Post, Thread, ThreadSeen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]


def ask(client, title="Cold start is 9 s", body="My **image** is 1.1 GB.", number=2, **more):
    return client.post(reverse("portal:ask", args=[number]), {"title": title, "body": body, **more})


@pytest.fixture
def thread(signed_in, aye):
    assert ask(signed_in(aye)).status_code == 302
    return Thread.objects.get()


def page(client, thread, **query):
    return client.get(thread.get_absolute_url(), query)


def test_a_question_reaches_its_cohort_and_tells_who_teaches(signed_in, aye, chit, thread):
    [notice] = Notice.objects.all()
    assert notice.person == chit and "Cold start is 9 s" in notice.subject and notice.url.startswith("/discussion/")
    said = page(signed_in(chit), thread).content.decode()
    assert "<strong>image</strong>" in said and "1 new" in said
    assert "Cold start is 9 s" in signed_in(aye).get(reverse("portal:week", args=[2])).content.decode()


def test_nothing_of_it_leaks_to_another_cohort_of_the_course(signed_in, thread, other_cohort, now):
    for role in ("student", "instructor"):
        client = signed_in(member(other_cohort, role, role, now))
        post = thread.posts.get()
        assert page(client, thread).status_code == 404
        assert client.post(thread.get_absolute_url(), {"body": "x"}).status_code == 404
        assert client.post(reverse("portal:mark_thread", args=[thread.pk]), {"do": "park"}).status_code == 404
        assert client.post(reverse("portal:remove_post", args=[post.pk])).status_code == 404
    teacher = client.get(reverse("portal:threads", args=[2])).content.decode()
    assert "Cold start" not in teacher


def test_of_a_week_that_is_not_released_students_ask_and_read_nothing(signed_in, aye, chit):
    assert ask(signed_in(aye), number=3).status_code == 404
    assert ask(signed_in(chit), title="Before it opens", number=3).status_code == 302
    client = signed_in(aye)
    assert client.get(reverse("portal:threads", args=[3])).status_code == 404
    assert page(client, Thread.objects.get()).status_code == 404


def test_what_is_new_is_counted_once_and_own_posts_are_not(signed_in, aye, bo, chit, cohort, thread, now):
    member(cohort, "khin", "student", now)
    client = signed_in(chit)
    counted = Thread.objects.with_counts(chit).get()
    assert (counted.unread, counted.replies) == (1, 0)
    page(client, thread)
    client.post(thread.get_absolute_url(), {"body": "Memory first."})
    assert Thread.objects.with_counts(chit).get().unread == 0
    assert Thread.objects.with_counts(aye).get().unread == 1
    assert "1 new" in signed_in(aye).get(reverse("portal:threads", args=[2])).content.decode()
    assert "1 new" in signed_in(aye).get(reverse("portal:course")).content.decode()
    assert Thread.objects.unread_by_week(aye) == {thread.week_id: 1} and not Thread.objects.unread_by_week(chit)
    said = page(signed_in(aye), thread).content.decode()
    assert "New</span>" in said
    assert "New</span>" not in page(signed_in(aye), thread).content.decode()
    assert ThreadSeen.objects.get(reader=aye).upto == Post.objects.last().pk


def test_the_answer_of_who_teaches_is_pinned_above_earlier_replies(signed_in, aye, chit, thread):
    signed_in(aye).post(thread.get_absolute_url(), {"body": "I think it is the image."})
    signed_in(chit).post(thread.get_absolute_url(), {"body": "Memory first.", "answers": "yes"})
    said = page(signed_in(aye), thread).content.decode()
    assert said.index("Pinned answer") < said.index("Memory first.") < said.index("I think it is the image.")
    assert "Answered" in said and "Instructor" in said
    assert Notice.objects.filter(person=aye, subject__startswith="Chit replied").exists()


def test_who_asked_marks_and_unmarks_the_answer_and_other_students_do_not(signed_in, aye, chit, cohort, thread, now):
    dan = member(cohort, "dan", "student", now)
    signed_in(dan).post(thread.get_absolute_url(), {"body": "1,024 MB", "answers": "yes"})
    thread.refresh_from_db()
    assert thread.answer is None
    post = Post.objects.last()
    mark = reverse("portal:mark_thread", args=[thread.pk])
    assert signed_in(dan).post(mark, {"do": "answer", "post": post.pk}).status_code == 404
    assert signed_in(aye).post(mark, {"do": "answer", "post": post.pk}).status_code == 302
    thread.refresh_from_db()
    assert thread.answer == post
    assert signed_in(aye).post(mark, {"do": "answer", "post": "9" * 40}).status_code == 404
    signed_in(aye).post(mark, {"do": "no_answer"})
    thread.refresh_from_db()
    assert thread.answer is None and thread.answered_at is None


def test_a_parked_question_is_on_saturdays_list_until_who_teaches_takes_it_off(signed_in, aye, chit, cohort, thread):
    mark = reverse("portal:mark_thread", args=[thread.pk])
    signed_in(aye).post(mark, {"do": "park"})
    live = reverse("portal:live", args=[cohort.slug, 2])
    assert "Cold start is 9 s" in signed_in(chit).get(live).content.decode()
    taken = signed_in(chit).post(live, {"do": "take", "agenda_md": "Hello"}).content.decode()
    assert "Hello\n- Cold start is 9 s" in taken
    assert signed_in(aye).post(mark, {"do": "unpark"}).status_code == 404
    signed_in(chit).post(mark, {"do": "unpark"})
    assert "No open question is parked" in signed_in(chit).get(live).content.decode()


def test_a_question_may_be_about_a_lab_of_its_week_only(signed_in, aye):
    answer = ask(signed_in(aye), about="s3-for-ml/step-9")
    assert answer.status_code == 422 and "Choose one of these" in answer.content.decode()
    assert ask(signed_in(aye), about="s3-for-ml").status_code == 302
    assert "A bucket laid out for ML" in page(signed_in(aye), Thread.objects.get()).content.decode()


@pytest.mark.parametrize(
    "title, body, words",
    [("", "x", "Give the question a title"), ("x" * 141, "x", "141 characters"), ("t", "  ", "nothing written")],
)
def test_what_cannot_be_posted_comes_back_with_why(signed_in, aye, title, body, words):
    answer = ask(signed_in(aye), title=title, body=body)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert (title or body) in answer.content.decode() and not Thread.objects.exists()


def test_what_is_too_long_is_said_with_its_length(signed_in, aye, thread):
    answer = signed_in(aye).post(thread.get_absolute_url(), {"body": "y" * 20_001})
    assert (
        answer.status_code == 422
        and "20,001 characters" in answer.content.decode()
        and "yyyy" in answer.content.decode()
    )


def test_nothing_that_somebody_writes_runs(signed_in, aye, chit):
    ask(signed_in(aye), body='<script>alert(1)</script> <img src=x onerror="alert(1)"> [x](javascript:alert(1))')
    said = page(signed_in(chit), Thread.objects.get()).content.decode()
    assert "<script>alert" not in said and "<img src=x" not in said and 'href="javascript' not in said
    assert "&lt;script&gt;" in said


def test_a_form_sent_twice_is_one_post(signed_in, aye):
    key = "0123456789abcdef0123456789abcdef"
    first, second = (ask(signed_in(aye), key=key) for _ in range(2))
    assert first.url == second.url and Thread.objects.count() == 1
    for _ in range(2):
        signed_in(aye).post(first.url, {"body": "More", "key": key[::-1]})
    assert Post.objects.count() == 2


def test_who_writes_too_much_in_a_short_time_waits_and_loses_nothing(signed_in, aye, clock, now, thread):
    client = signed_in(aye)
    for n in range(discussing.MOST - 1):
        assert client.post(thread.get_absolute_url(), {"body": f"Reply {n}"}).status_code == 302
    answer = client.post(thread.get_absolute_url(), {"body": "One too many"})
    assert answer.status_code == 429
    assert "One too many" in answer.content.decode() and "14:57" in answer.content.decode()
    clock.move_to(now + discussing.WITHIN)
    assert client.post(thread.get_absolute_url(), {"body": "One too many"}).status_code == 302


def test_the_limit_counts_a_short_time_and_a_day(now):
    def ago(*minutes):
        return [now - timedelta(minutes=one) for one in minutes]

    most = discussing.MOST
    assert discussing.too_many([], now) is None
    assert discussing.too_many(ago(*range(most - 1)), now) is None
    assert discussing.too_many(ago(*[9] * most), now) == now + timedelta(minutes=1)
    assert discussing.too_many(ago(*[10] * most), now) is None
    a_day = ago(*range(60, 60 + 10 * discussing.MOST_A_DAY, 10))
    assert discussing.too_many(a_day, now) == a_day[-1] + timedelta(days=1)


def test_preview_shows_and_posts_nothing(signed_in, aye, thread):
    answer = signed_in(aye).post(thread.get_absolute_url(), {"body": "A *draft*", "do": "preview"}).content.decode()
    assert "<em>draft</em>" in answer and "A *draft*" in answer and Post.objects.count() == 1


def test_a_quote_begins_the_reply(signed_in, aye, thread):
    said = page(signed_in(aye), thread, quote=thread.posts.get().pk).content.decode()
    assert "&gt; My **image** is 1.1 GB." in said


def test_one_removes_ones_own_and_who_teaches_anybodys(signed_in, aye, chit, cohort, thread, now):
    dan = member(cohort, "dan", "student", now)
    question = thread.posts.get()
    gone = reverse("portal:remove_post", args=[question.pk])
    assert signed_in(dan).post(gone).status_code == 404
    signed_in(dan).post(thread.get_absolute_url(), {"body": "Rude words"})
    reply = Post.objects.last()
    signed_in(chit).post(reverse("portal:remove_post", args=[reply.pk]))
    said = page(signed_in(aye), thread).content.decode()
    assert "Rude words" not in said and "Removed." in said
    assert "whole thread" in signed_in(aye).get(gone).content.decode()
    assert signed_in(aye).post(gone).status_code == 302
    assert page(signed_in(aye), thread).status_code == 404


def test_who_does_not_follow_any_more_is_told_nothing(signed_in, aye, chit, thread):
    signed_in(aye).post(reverse("portal:mark_thread", args=[thread.pk]), {"do": "unfollow"})
    signed_in(chit).post(thread.get_absolute_url(), {"body": "Memory first."})
    assert not Notice.objects.filter(person=aye).exists()


# --- announcements ---------------------------------------------------------------------------------------------


def test_an_announcement_stands_on_today_until_it_is_read_and_goes_out_once(signed_in, aye, chit, cohort):
    address = reverse("portal:announce", args=[cohort.slug])
    form = {"title": "Saturday at 13:00", "body": "The hall is **booked**.", "key": "0" * 32}
    for _ in range(2):
        assert signed_in(chit).post(address, form).status_code == 302
    assert Announcement.objects.count() == 1
    [notice] = Notice.objects.all()
    assert (notice.person, notice.subject) == (aye, "Saturday at 13:00")
    client = signed_in(aye)
    assert "Saturday at 13:00" in client.get(reverse("portal:today")).content.decode()
    assert "<strong>booked</strong>" in client.get(reverse("portal:announcements")).content.decode()
    assert "Saturday at 13:00" not in client.get(reverse("portal:today")).content.decode()


def test_announcements_are_of_one_cohort_and_from_the_day_one_joined(signed_in, chit, cohort, other_cohort, now, clock):
    signed_in(chit).post(reverse("portal:announce", args=[cohort.slug]), {"title": "Ours", "body": "x"})
    stranger = member(other_cohort, "yuri", "student", now)
    assert "Ours" not in signed_in(stranger).get(reverse("portal:announcements")).content.decode()
    later = member(cohort, "khin", "student", now + timedelta(minutes=1))
    assert "Ours" not in signed_in(later).get(reverse("portal:today")).content.decode()
    assert "Ours" in signed_in(later).get(reverse("portal:announcements")).content.decode()
    assert signed_in(later).post(reverse("portal:announce", args=[cohort.slug]), {"title": "x"}).status_code == 404


def test_a_key_is_not_posted_and_what_was_written_stays_in_the_form(signed_in, aye, thread):
    key = "AKIA" + "Q3EGX7TRBZ5MWNHD"
    body = f"It says AccessDenied.\n\n    aws_access_key_id = {key}\n"
    asked = ask(signed_in(aye), title="Access denied", body=body)
    replied = signed_in(aye).post(thread.get_absolute_url(), {"body": body})
    for answer in (asked, replied):
        said = answer.content.decode()
        assert answer.status_code == 422 and "seems to be a credential in it (AWS access key" in said
        assert key in said, "nothing typed is lost"
    assert Post.objects.count() == 1
