"""People are told each thing once."""

import pytest
from django.utils import timezone

from portal import notices
from portal.models import Notice

pytestmark = pytest.mark.django_db


def test_a_person_is_told_a_thing_once(aye, bo):
    now = timezone.now()
    assert notices.tell(aye, "lights", "left on 1", "One light is on", now=now)
    assert not notices.tell(aye, "lights", "left on 1", "One light is still on", now=now)
    assert notices.tell(bo, "lights", "left on 1", "One light is on", now=now)
    assert list(Notice.objects.filter(person=aye).values_list("subject", "done_at")) == [("One light is on", None)]


def test_news_without_a_topic_by_which_people_choose_is_refused(aye):
    with pytest.raises(ValueError):
        notices.tell(aye, "gossip", "1", "Have you heard", now=timezone.now())
