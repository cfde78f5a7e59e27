"""What going off by itself saved: counted low, each second once, and never for what a person did."""

from decimal import Decimal

import pytest

from costs import saved, saving, scopes
from costs.lights_out import WHY
from costs.models import TurnedOff
from costs.tests import worlds
from costs.tests.worlds import DAY, HOUR, MINUTE, NOW, SCOPE, instance, notebook, stranger
from labs import launching
from labs.kinds.base import STOPPED

D = Decimal
TABLE = [
    ("an hour of it is over", D("0.05"), NOW, NOW + DAY, NOW + HOUR, None, D("0.05")),
    ("nothing is counted past the next session", D("0.05"), NOW, NOW + 2 * HOUR, NOW + 9 * DAY, None, D("0.10")),
    ("nor after it was on again", D("0.05"), NOW, NOW + 2 * DAY, NOW + 9 * DAY, NOW + 4 * HOUR, D("0.20")),
    ("nothing yet", D("0.05"), NOW, NOW + DAY, NOW, None, D(0)),
    ("a rate below zero saves nothing", D("-1"), NOW, NOW + DAY, NOW + HOUR, None, D(0)),
]


CASES = [pytest.param(*case, id=words) for words, *case in TABLE]


@pytest.mark.parametrize(("rate", "off_at", "until", "now", "again", "usd"), CASES)
def test_rate_times_the_time_that_counts(rate, off_at, until, now, again, usd):
    assert saved.saved_usd(rate, off_at, until, now, again) == usd


@pytest.mark.parametrize(
    ("sessions", "ends_at", "until"),
    [
        ([NOW + 2 * DAY, NOW + 5 * HOUR, None], None, NOW + 5 * HOUR),
        ([NOW - DAY], None, NOW + DAY),
        ([], None, NOW + DAY),
        ([NOW + 9 * DAY], NOW + 3 * DAY, NOW + 3 * DAY),
        ([], NOW - DAY, NOW + DAY),
    ],
)
def test_it_is_counted_to_the_next_session_that_was_known(sessions, ends_at, until):
    assert saving.counts_until(NOW, sessions, ends_at) == until


@pytest.mark.parametrize(
    ("holder", "why", "by"),
    [
        ("policy", "left on", "policy"),
        ("clock", "its time is up", "clock"),
        ("budget", "", "budget"),
        ("person", WHY, "lights-out"),
        ("person", "left on", ""),
        ("", "", ""),
    ],
)
def test_what_a_person_did_is_not_counted(holder, why, by):
    assert saving.who(holder, why) == by


@pytest.fixture
def told(db):
    return scopes.tell(SCOPE, name="aws-ml", look_ahead_until=NOW + 2 * DAY, ends_at=NOW + 16 * DAY)


def stop(row, at, *, holder="policy", why="left on", on=notebook):
    launching.ask_to_stop([row], now=at, holder=holder, why=why)
    worlds.saw(row, on(STOPPED, since=at + MINUTE), at + MINUTE)


@pytest.mark.django_db
@pytest.mark.usefixtures("prices", "told")
class TestWhatIsNoted:
    def test_a_stop_saves_its_rate_less_its_disk(self, ayes):
        row = stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 3 * HOUR), NOW)
        stop(row, NOW)
        assert saving.note(NOW + 2 * MINUTE) == 1
        assert saving.note(NOW + 3 * MINUTE) == 0, "once"
        [one] = TurnedOff.objects.all()
        assert (one.act, one.by, one.off_at, one.until) == ("stop", "policy", NOW + MINUTE, NOW + 2 * DAY)
        assert one.usd_per_hour == D("0.05"), "the disk costs on: only the machine is saved"
        assert saved.saved_in([SCOPE], NOW + 10 * HOUR + MINUTE).usd == D("0.5")
        assert saved.saved_in([SCOPE], NOW + 90 * DAY).usd == (D(48) - D(1) / 60) * one.usd_per_hour

    def test_on_again_ends_the_count_and_a_second_stop_is_counted_from_then(self, ayes):
        row = stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 3 * HOUR), NOW)
        stop(row, NOW)
        saving.note(NOW + 2 * MINUTE)
        worlds.saw(row, notebook(since=NOW + HOUR + MINUTE), NOW + HOUR + MINUTE)
        saving.note(NOW + HOUR + 2 * MINUTE)
        assert saved.saved_in([SCOPE], NOW + 5 * HOUR).usd == D("0.05")
        stop(row, NOW + 2 * HOUR)
        saving.note(NOW + 2 * HOUR + 2 * MINUTE)
        assert saved.saved_in([SCOPE], NOW + 3 * HOUR + MINUTE).usd == D("0.10")

    def test_a_lab_whose_clock_ran_out_counts_from_its_absence(self, aye, ayes):
        made = worlds.launch(aye, ayes, NOW - HOUR, hours=1, look_ahead_until=NOW + 3 * HOUR, box="ec2-instance")
        row = worlds.saw(worlds.row_of(made, "box"), instance(disk_gb=0), NOW - HOUR)
        launching.end_expired(NOW)
        worlds.gone(row, NOW + MINUTE)
        saving.note(NOW + 2 * MINUTE)
        [one] = saved.saved_in([SCOPE], NOW + DAY).lines
        assert (one.turned_off.by, one.turned_off.act) == ("clock", "delete")
        assert one.counted_to == NOW + 3 * HOUR
        assert one.is_practice

    @pytest.mark.parametrize(("why", "noted"), [(WHY, 1), ("left on", 0)])
    def test_lights_out_counts_and_a_persons_own_stop_does_not(self, ayes, why, noted):
        row = stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 3 * HOUR), NOW)
        stop(row, NOW, holder="person", why=why)
        assert saving.note(NOW + 2 * MINUTE) == noted

    def test_what_was_off_before_it_was_asked_is_not_ours(self, ayes):
        row = stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 3 * HOUR), NOW)
        worlds.saw(row, notebook(STOPPED, since=NOW + MINUTE), NOW + MINUTE)
        launching.ask_to_stop([row], now=NOW + HOUR, holder="policy", why="left on")
        assert saving.note(NOW + HOUR) == 0

    def test_what_has_no_price_is_left_out_of_the_sum_and_counted(self, ayes):
        def odd(state="running", **facts):
            return notebook(state, type="ml.unheard.large", **facts)

        row = stranger(ayes, "sagemaker-notebook", odd(since=NOW - 3 * HOUR), NOW)
        stop(row, NOW, on=odd)
        saving.note(NOW + 2 * MINUTE)
        found = saved.saved_in([SCOPE], NOW + DAY)
        assert (found.usd, found.unpriced, found.lines[0].usd) == (0, 1, None)

    def test_what_is_free_saves_nothing(self, ayes):
        row = stranger(ayes, "security-group", worlds.free(), NOW)
        launching.ask_to_delete([row], now=NOW, holder="policy")
        worlds.gone(row, NOW + MINUTE)
        assert saving.note(NOW + 2 * MINUTE) == 0
