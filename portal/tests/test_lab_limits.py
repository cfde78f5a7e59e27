"""What a cohort may use of its AWS account: chosen on its page, asked at each start, held by AWS if it is shared."""

from dataclasses import replace
from io import StringIO

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.urls import reverse

from labs import catalog, stack_template
from labs.kinds.base import Want
from labs.limits import Limits, limits_of
from labs.models import Account, Event, Launch, Rehearsal, StudentRole
from portal import access, overseeing, placing, rules_of_use
from portal.models import LabInWeek

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ALL = {
    "regions": ["us-east-1"],
    "instance_types": ["t2.micro", "t3.micro", "t3.small", "t3.medium", "t3.large"],
    "sagemaker_types": ["ml.t3.medium", "ml.m5.large", "ml.m5.xlarge"],
}
MICRO = {"instance_types": ["t3.micro"]}


@pytest.fixture
def shared(cohort, now):
    """The bootcamp's account, which serves every cohort; the cohort's labs start there."""
    cohort.lab_mode = Account.SHARED
    cohort.save()
    facts = {"regions": ["us-east-1"], "lab_regions": ["us-east-1"], "template_version": stack_template.VERSION}
    return Account.objects.create(
        name="Bootcamp", mode=Account.SHARED, aws_id="111122223333", connected_at=now, created_at=now, **facts
    )


@pytest.fixture
def limit(cohort):
    def to(limits):
        cohort.lab_limits = limits
        cohort.save()

    return to


@pytest.fixture
def asked(signed_in, chit, cohort):
    """asked(**changes) posts the form with everything ticked but for the changes; asked() looks at the page."""
    client, address = signed_in(chit), reverse("portal:lab_limits", args=[cohort.slug])

    def ask(**changes):
        return client.post(address, ALL | changes) if changes else client.get(address)

    return ask


def text(answer):
    return answer.content.decode()


# --- the page ----------------------------------------------------------------------------------------------------


def test_what_is_left_unticked_is_a_limit_and_what_is_ticked_whole_is_none(asked, cohort, chit, shared):
    answer = asked(instance_types=["t3.micro", "t3.small"])
    assert (answer.status_code, answer.url) == (302, reverse("portal:lab_limits", args=[cohort.slug]))
    cohort.refresh_from_db()
    assert cohort.lab_limits == {"instance_types": ["t3.micro", "t3.small"]}
    said = Event.objects.get(code="limits")
    assert (said.actor, said.account) == (chit, shared) and "EC2 types t3.micro, t3.small" in said.words
    shared.refresh_from_db()
    assert shared.examine_at is not None, "the doctor looks soon"
    shown = text(asked())
    assert shown.count(" checked") == 1 + 2 + 3
    asked(regions=["us-east-1"])
    cohort.refresh_from_db()
    assert cohort.lab_limits == {}


REFUSED = [
    ({"instance_types": []}, "Tick at least one."),
    ({"regions": []}, "Tick at least one."),
    ({"instance_types": ["t3.micro", "p4d.24xlarge"]}, "p4d.24xlarge is not one of these."),
    ({"instance_types": ["m5.xlarge"]}, "The account allows none of the cohort&#x27;s EC2 types (m5.xlarge), but"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=[case[1][:30] for case in REFUSED])
def test_what_cannot_be_is_refused_in_words_and_the_ticks_stay(asked, cohort, shared, changes, words):
    week = LabInWeek.objects.first().week
    LabInWeek.objects.create(week=week, lab_slug="emr-small", position=9)
    answer = asked(**changes, sagemaker_types=["ml.m5.large"])
    assert answer.status_code == 422 and words in text(answer)
    ticked = [line[0] for line in answer.context["lists"][2]["lines"] if line[1]]
    assert ticked == ["ml.m5.large"]
    cohort.refresh_from_db()
    assert cohort.lab_limits == {}


def test_the_region_in_which_labs_start_stays_ticked(asked, cohort, shared):
    Account.objects.filter(pk=shared.pk).update(lab_regions=["us-east-1", "eu-west-1"])
    answer = asked(regions=["eu-west-1"])
    assert answer.status_code == 422 and "Labs of this cohort start in us-east-1" in text(answer)
    assert asked(regions=["us-east-1"]).status_code == 302
    cohort.refresh_from_db()
    assert cohort.lab_limits == {"regions": ["us-east-1"]}


def test_it_says_which_labs_need_what_and_which_do_not_start(asked, limit):
    LabInWeek.objects.create(week=LabInWeek.objects.first().week, lab_slug="emr-small", position=9)
    emr = catalog.get("emr-small").title
    assert f'm5.xlarge</span><span class="d-block text-secondary">{emr}' in text(asked())
    assert "some labs do not start" not in text(asked())
    limit(MICRO)
    assert f"some labs do not start.</b> {emr} (m5.xlarge)" in " ".join(text(asked()).split())


def test_it_says_what_aws_holds_and_what_makes_it(asked, limit, cohort, shared):
    assert "its own documents hold this cohort" in text(asked())
    limit(MICRO)
    command = stack_template.deploy_cohort_command(f"lightsout-limits-{cohort.slug}.yaml", "us-east-1", cohort.scope)
    assert "AWS does not know these limits" in text(asked()) and command in text(asked())
    held = limits_of(shared.limited_to(Limits.read(MICRO))).as_json()
    Account.objects.filter(pk=shared.pk).update(limits_held={cohort.scope: held})
    assert "AWS holds roles of this cohort’s students" in text(asked()) and command not in text(asked())
    limit({"instance_types": ["t3.small"]})
    assert "AWS holds this cohort to older limits" in text(asked()) and command in text(asked())
    Account.objects.filter(pk=shared.pk).update(template_version=2)
    assert "Update the stack of the account first" in text(asked())
    limit({})
    assert stack_template.delete_command("us-east-1", stack_template.cohort_stack(cohort.scope)) in text(asked())


def test_a_cohort_that_shares_no_account_has_limits_too(asked, cohort):
    assert "shares no AWS account" in text(asked())
    assert asked(instance_types=["t3.micro"], regions=["us-east-1"]).status_code == 302
    cohort.refresh_from_db()
    assert cohort.lab_limits == MICRO


# --- the stack ---------------------------------------------------------------------------------------------------


def printed(**options):
    said = StringIO()
    call_command("account_template", stdout=said, **options)
    return said.getvalue()


def test_the_file_is_the_one_that_the_command_prints(signed_in, chit, limit, cohort, shared):
    address = reverse("portal:lab_limits_template", args=[cohort.slug])
    client = signed_in(chit)
    assert client.get(address).status_code == 404, "nothing to hold"
    limit(MICRO)
    answer = client.get(address)
    rules = shared.limited_to(cohort.limits)
    assert yaml.safe_load(text(answer)) == yaml.safe_load(printed(cohort=cohort.slug, account="Bootcamp"))
    assert text(answer) == stack_template.as_text(stack_template.cohort_template(rules, cohort.scope))
    assert f"lightsout-limits-{cohort.slug}.yaml" in answer["Content-Disposition"]


def test_the_command_says_why_there_is_none(cohort, shared, limit):
    with pytest.raises(CommandError, match="No cohort 'other' is here"):
        printed(cohort="other")
    with pytest.raises(CommandError, match="needs no stack of its own"):
        printed(cohort=cohort.slug)
    limit({"instance_types": ["m5.xlarge"]})
    with pytest.raises(CommandError, match="allows none of the cohort's EC2 types"):
        printed(cohort=cohort.slug)


def test_the_doctor_is_told_of_the_limits_of_those_who_share_the_account(cohort, other_cohort, shared, limit):
    limit(MICRO)
    other_cohort.lab_limits = MICRO
    other_cohort.save()
    [patient] = overseeing.patients([shared])
    assert patient.limits == {cohort.scope: (str(cohort), Limits.read(MICRO))}, "the other one is in practice mode"
    assert overseeing.limited_in(shared) == [cohort]


def test_the_accounts_page_names_who_has_limits_and_letting_go_of_it_the_stacks(
    signed_in, admin, cohort, shared, limit
):
    limit(MICRO)
    client, here = signed_in(admin), reverse("portal:account", args=[shared.pk])
    shown = text(client.get(here))
    assert reverse("portal:lab_limits", args=[cohort.slug]) in shown and "not held yet" in shown
    Account.objects.filter(pk=shared.pk).update(limits_held={cohort.scope: MICRO})
    assert "not held yet" not in text(client.get(here))
    leaving = text(client.get(reverse("portal:disconnect_account", args=[shared.pk])))
    assert stack_template.delete_command("us-east-1", stack_template.cohort_stack(cohort.scope)) in leaving


# --- a start -----------------------------------------------------------------------------------------------------


@pytest.fixture
def box(lab, monkeypatch):
    """The course's lab, with a machine of t3.large that its student starts."""
    made = replace(lab, by_hand=(Want("box", "ec2-instance", {"type": "t3.large"}),))
    monkeypatch.setattr(catalog, "catalog", lambda: {made.slug: made})
    return made


def test_practice_mode_refuses_what_the_cohort_may_not_use_and_says_why(signed_in, aye, cohort, box, limit):
    limit(MICRO)
    client, address = signed_in(aye), reverse("portal:start_lab", args=[2, box.slug])
    words = "needs t3.large. Your cohort&#x27;s EC2 types: t3.micro. Ask your instructor."
    assert words in text(client.get(address))
    answer = client.post(address)
    assert answer.status_code == 422 and words in text(answer)
    assert not Launch.objects.exists()


def test_in_the_shared_account_a_lab_starts_once_aws_holds_the_limits(
    signed_in, aye, bo, cohort, lab, limit, shared, now
):
    rules_of_use.accept(aye, now)
    Rehearsal.objects.create(account=shared, lab=lab.slug, at=now, passed=True)
    limit(MICRO)
    client, address = signed_in(aye), reverse("portal:start_lab", args=[2, lab.slug])
    refused = client.post(address)
    assert refused.status_code == 422 and "AWS does not hold this cohort&#x27;s limits yet" in text(refused)
    held = limits_of(shared.limited_to(cohort.limits)).as_json()
    Account.objects.filter(pk=shared.pk).update(limits_held={cohort.scope: held})
    assert client.post(address).status_code == 302
    launch = Launch.objects.get()
    assert (launch.limits, launch.limited_scope) == (MICRO, cohort.scope)
    assert StudentRole.objects.get().scope == cohort.scope


def test_whoever_teaches_is_led_to_the_page_that_mends_it(chit, cohort, lab, limit, shared):
    limit(MICRO)
    place = placing.place_of(access.standings(chit)[cohort.slug], lab)
    assert (place.account, place.help_url) == (None, reverse("portal:lab_limits", args=[cohort.slug]))
    assert "Ask your instructor" not in place.trouble
