"""What of the benches is pure."""

from collections import Counter

from bench.plain import missing
from bench.planting import A_STUDENT, _baskets


def test_the_peer_makes_as_many_calls_of_each_as_we_made_and_none_less():
    ours = {"s3:HeadBucket": 200, "iam:GetRole": 90, "sts:AssumeRole": 4}
    planned = {"s3:HeadBucket": 150, "iam:GetRole": 100}
    assert missing(ours, planned) == Counter({"s3:HeadBucket": 50, "sts:AssumeRole": 4})


def test_no_two_baskets_share_a_name_and_each_holds_forty():
    planted = [(kind, name) for kind, name, _ in _baskets(range(7, 10))]
    assert len(planted) == len(set(planted)) == 3 * A_STUDENT == 120
