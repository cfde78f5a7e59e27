"""A person's way through the whole loop on the simulator: a lab from a click to its certificate, a forgotten thing to
its end. Without JavaScript, and a case study to its feedback: test_a_week.py."""

import re

import pytest
from playwright.sync_api import expect

from labs import census, kinds
from labs.models import Launch, Resource
from portal.models import LabInWeek

# Many at once on each database: portal/tests/test_class_of_24.py. This is about the browser, and the same on any.
pytestmark = [pytest.mark.browser, pytest.mark.simulator, pytest.mark.django_db(transaction=True), pytest.mark.once]

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


def test_what_was_made_by_hand_in_another_region_is_found_and_turned_off(
    portal, enter, aye, chit, cohort, simulator, bucket_lab, monkeypatch
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
    # Every kind in every region is looked for in costs/tests/test_with_simulator.py: it takes ten seconds.
    for kind in kinds.registry().keys() - {"ebs-volume"}:
        monkeypatch.delitem(kinds.registry(), kind)
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
