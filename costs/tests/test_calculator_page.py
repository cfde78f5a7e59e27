"""The calculator as people use it: an address with numbers in, each line of the sum spelled out."""

from decimal import Decimal

import pytest
from django.urls import reverse

from costs import quoting
from costs.forms import CalculatorForm
from costs.pricebook import PriceBook
from costs.tests.worlds import NOW
from costs.workloads import EXAMPLES, WORKLOADS, workload

pytestmark = [pytest.mark.django_db, pytest.mark.once]
CENT = Decimal("0.01")


@pytest.fixture(autouse=True)
def book(standing_book, db):
    return PriceBook.open()


@pytest.fixture
def calculator(client, aye):
    client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")

    def shown(**asked):
        return client.get(reverse("costs:calculator"), asked)

    return shown


def quoted(**asked):
    book = PriceBook.open()
    form = CalculatorForm(asked, regions=book.regions_of("EC2"), types=book.skus_of("EC2", "on-demand-linux"))
    assert form.is_valid(), form.errors
    return quoting.quote(book, form.chosen, form.cleaned_data, form.cleaned_data["region"], NOW)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_the_courses_examples_come_out_to_the_cent(example, calculator):
    quote = quoted(**example.inputs)
    assert quote.cost.total.quantize(CENT) == example.usd
    answer = calculator(**example.inputs)
    assert f"How we got ${example.usd}" in answer.content.decode()


def test_where_awss_list_differs_from_what_was_typed_it_is_said():
    first, second = (quoted(**example.inputs) for example in EXAMPLES)
    assert len(first.lists) == 2
    assert "$0.011 an hour for a disk of 100 GB" in first.lists[0]
    assert "nothing from S3 to a machine in the same region" in first.lists[1]
    assert second.lists == ()


def test_what_the_examples_say_of_awss_list_is_so():
    inputs = dict(EXAMPLES[0].inputs)
    for own in ("disk_usd_hour", "transfer_usd", "transfer_gb"):
        del inputs[own]
    assert f"${quoted(**inputs).cost.total.quantize(CENT)}" in EXAMPLES[0].elsewhere
    inputs = dict(EXAMPLES[1].inputs)
    del inputs["is_kept"]
    assert f"${quoted(**inputs).cost.total.quantize(CENT)}" in EXAMPLES[1].elsewhere


@pytest.mark.parametrize("slug", [one.slug for one in WORKLOADS])
def test_every_workload_has_a_price_for_each_of_its_machines_where_the_course_runs(slug, calculator, book):
    one = workload(slug)
    for machine, usd in quoting.machines(book, one, "us-east-1", NOW):
        assert usd, f"{machine.type} of {slug} has no price"
        assert machine.about
    assert sum(machine.is_our_pick for machine in one.machines) == (1 if one.machines else 0)
    answer = calculator(workload=slug)
    assert answer.status_code == 200 and "How we got $" in answer.content.decode()


def test_of_a_gpu_each_line_is_spelled_out():
    quote = quoted(workload="gpu", hours="3", days="20", disk_gb="100", is_kept="on", transfer_gb="120")
    assert [(line.title, line.how, line.usd.quantize(CENT)) for line in quote.lines] == [
        ("Compute", "$0.526/h × 3 h × 20 days", Decimal("31.56")),
        ("Disk", "100 GB × $0.08 a month, kept all month", Decimal("8.00")),
        ("Transfer out", "20 GB × $0.09, after 100 GB that are free", Decimal("1.80")),
    ]
    assert quote.forgotten_usd == Decimal("0.526") * 48
    assert quote.forgotten_month_usd == Decimal("0.526") * 730


def test_spot_pays_for_what_is_done_again_and_a_reservation_for_every_hour():
    asked = {"workload": "gpu", "hours": "3", "days": "20", "disk_gb": "0", "transfer_gb": "0"}
    on_demand, spot, reserved = quoted(**asked, again="10", discount="40").ways
    assert on_demand.usd == Decimal("0.526") * 60
    assert round(spot.usd, 6) == Decimal("0.2204") * 60 * Decimal("1.1")
    assert reserved.usd == Decimal("0.526") * Decimal("0.6") * 730
    assert quoted(**asked, again="0", discount="100").ways[2].usd == 0


def test_the_courses_four_figures_are_there():
    four = quoted(workload="own", type="t3.medium", hours="4", days="20", disk_gb="0", transfer_gb="0").framework
    assert (four.hourly, four.daily, four.monthly, four.annual) == tuple(
        Decimal(figure) for figure in ("0.0416", "0.1664", "3.328", "39.936")
    )


def test_a_cluster_is_all_its_machines_with_emrs_price_on_top():
    quote = quoted(workload="spark", hours="1", days="1", disk_gb="0", transfer_gb="0")
    assert quote.usd_per_hour == 3 * (Decimal("0.192") + Decimal("0.048"))
    assert quote.lines[0].how == "3 × $0.24/h × 1 h × 1 day"


def test_of_sagemaker_there_is_no_spot_and_no_reservation_to_reckon_with():
    _, spot, reserved = quoted(workload="notebook").ways
    assert spot.usd is None and reserved.usd is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"hours": "25"}, "less than or equal to 24"),
        ({"hours": "-1"}, "greater than or equal to 0"),
        ({"days": "many"}, "Enter a number"),
        ({"hours": "NaN"}, "Enter a number"),
        ({"hours": ""}, "This field is required"),
        ({"workload": "own", "type": "t9.huge"}, "We know no EC2 instance called t9.huge"),
        ({"workload": "own", "type": "<script>"}, "We know no EC2 instance called &lt;script&gt;"),
        ({"region": "mars-1"}, "Select a valid choice"),
        ({"workload": "gpu", "region": "sa-east-1"}, "Select a valid choice"),
        ({"workload": "serve", "region": "us-west-2"}, "We have no price for ml.m5.large in us-west-2"),
    ],
)
def test_a_wrong_input_gets_its_reason_and_what_was_typed_stays(calculator, asked, said):
    typed = {
        "workload": "gpu",
        "was": asked.get("workload", "gpu"),
        "hours": "3",
        "days": "20",
        "disk_gb": "77",
    } | asked
    answer = calculator(**typed, transfer_gb="0", again="10", discount="40").content.decode()
    assert said in answer and "There is something to correct first" in answer
    assert 'value="77"' in answer


def test_another_workload_begins_with_its_own_numbers(calculator):
    answer = calculator(workload="notebook", was="gpu", type="g4dn.xlarge", hours="3", days="20", disk_gb="100")
    quote = answer.context["quote"]
    assert answer.context["form"].cleaned_data["type"] == "ml.t3.medium"
    assert quote.lines[0].how == "$0.05/h × 2 h × 20 days"


def test_nobody_who_is_not_signed_in_sees_it(client):
    assert client.get(reverse("costs:calculator")).status_code == 302
