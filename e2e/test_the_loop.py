"""A person's way through the whole loop: a lab from a click to its certificate, a case study to its feedback, a
forgotten thing to its end. With and without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from labs import census
from labs.models import Launch, Resource
from portal.models import LabInWeek, Submission

pytestmark = [pytest.mark.browser, pytest.mark.simulator, pytest.mark.django_db(transaction=True)]

SLOW = 150_000
HOSTILE = "<script>alert('mine')</script>"


@pytest.fixture
def bucket_lab(cohort):
    LabInWeek.objects.filter(week__course=cohort.course).delete()
    return LabInWeek.objects.create(week=cohort.course.weeks.get(number=1), lab_slug="s3-ml-bucket")


def test_a_lab_from_a_click_to_its_certificate(portal, enter, aye, bucket_lab):
    page = enter(aye)
    page.goto(f"{portal}/labs/")
    page.get_by_role("link", name=re.compile("Launch")).click()
    expect(page.get_by_text("At most", exact=True)).to_be_visible()
    page.get_by_role("button", name="Launch").click()

    live = page.locator("#live")
    expect(live.get_by_text("Creating").first).to_be_visible()
    page.evaluate("document.getElementById('meter-chip').textContent = 'of another minute'")
    expect(page.locator("#meter-chip")).to_contain_text("All off")  # it comes with the next poll
    expect(live.get_by_text("Running").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("The lab is ready")).to_be_visible(timeout=SLOW)

    page.get_by_role("button", name="Check my progress").first.click()
    expect(page.get_by_text(re.compile("Passed|Not yet")).first).to_be_visible()
    page.get_by_role("button", name="Get temporary credentials").click()
    expect(page.get_by_text("AWS_SESSION_TOKEN").first).to_be_visible()
    page.get_by_role("link", name="Back to the lab").click()

    page.get_by_role("link", name="Finish lab").click()
    page.get_by_role("dialog").get_by_role("button", name="Finish lab").click()
    page.get_by_role("link", name="See the certificate").click(timeout=SLOW)
    expect(page.get_by_role("heading", name="Verified: nothing left running")).to_be_visible()
    assert Launch.objects.get().certificate["left"] == []


@pytest.mark.once
def test_the_same_lab_without_javascript(portal, browser, aye, bucket_lab, settings):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    from django.test import Client

    client = Client()
    client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": client.session.session_key, "url": portal}])
    page = context.new_page()
    page.goto(f"{portal}/labs/")
    page.get_by_role("link", name=re.compile("Launch")).click()
    page.get_by_role("button", name="Launch").click()
    assert "/labs/launch/" in page.url
    launch = Launch.objects.get()

    def reload_until(words):
        for _ in range(120):
            if page.get_by_text(words).count():
                return
            page.wait_for_timeout(150)
            page.reload()
        raise AssertionError(f"{words!r} never came; the page says: {page.inner_text('main')[:1500]}")

    reload_until("The lab is ready")
    page.get_by_role("link", name="Finish lab").click()
    page.get_by_role("button", name="Finish lab").click()
    reload_until("Verified: nothing left running")
    launch.refresh_from_db()
    assert launch.ended_at
    context.close()


def test_a_case_study_goes_in_and_its_feedback_comes_out(portal, enter, context, aye, chit, cohort):
    page = enter(aye)
    page.goto(f"{portal}/week/1/case/case/")
    page.locator("textarea").first.fill("On premises would not scale; the cloud, by region.")
    page.get_by_role("button", name=re.compile("Hand in|Submit")).first.click()
    expect(page.get_by_text("Nothing was handed in yet")).to_be_visible()  # the deadline was in 2025
    page.get_by_label(re.compile("I know that the model answer is open")).check()
    page.get_by_role("button", name=re.compile("Hand in|Submit")).first.click()
    expect(page.get_by_text(re.compile("LO-")).first).to_be_visible()
    submission = Submission.objects.get()
    assert submission.answer_sha256[:8] in page.content()

    page.goto(f"{portal}/submissions/")
    expect(page.get_by_text("Least privilege is right")).to_have_count(0)


@pytest.mark.once
def test_what_was_made_by_hand_in_another_region_is_found_and_turned_off(
    portal, enter, aye, chit, cohort, simulator, bucket_lab
):
    from datetime import UTC, datetime

    from labs import aws
    from portal.enrolling import practice_account
    from portal.telling import tell_costs

    now = datetime.now(UTC)
    tell_costs(now)
    account = practice_account(aye, now=now)
    account.boot_id = simulator.boot()["boot_id"]
    account.aws_id = simulator.new_account()
    account.save()
    ec2 = aws.client(account, "ec2", "ap-southeast-1")
    named = [{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": HOSTILE}]}]
    volume = ec2.create_volume(AvailabilityZone="ap-southeast-1a", Size=100, VolumeType="gp3", TagSpecifications=named)[
        "VolumeId"
    ]
    census.census_all(lambda: datetime.now(UTC), [account])

    page = enter(chit)
    page.on("dialog", lambda dialog: pytest.fail("a name ran as a script"))
    page.goto(f"{portal}/costs/forgotten/")
    for _ in range(60):
        if page.get_by_text(HOSTILE).count():
            break
        page.wait_for_timeout(150)
        page.reload()
    row = page.locator("tr", has_text=HOSTILE).first
    expect(row).to_contain_text(aye.name)
    expect(row).to_contain_text("ap-southeast-1")
    row.get_by_role("button", name=re.compile("Delete")).or_(row.get_by_role("link", name=re.compile("Delete"))).click()
    page.get_by_role("button", name=re.compile("Delete")).last.click()
    for _ in range(100):
        if Resource.objects.get(aws_id=volume).closed_at:
            break
        page.wait_for_timeout(200)
    closed = Resource.objects.get(aws_id=volume)
    assert closed.closed_at
    assert not ec2.describe_volumes()["Volumes"]
    page.goto(f"{portal}/costs/forgotten/")
    expect(page.get_by_text(HOSTILE)).to_have_count(0)
