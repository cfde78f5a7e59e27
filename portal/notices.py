"""What people are told: written down first, delivered by whatever channels they chose, when these work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from portal.models import Notice, User

# What may be told: the words by which a person chooses.
TOPICS = {
    "lights": "Lights of yours that are left on, and what was turned off",
    "budget": "Budgets that are nearly used up, and days that cost far more than usual",
    "teaching": "For those who teach: lights, budgets and the week's spend of a cohort",
    "people": "Messages of your instructor, and changes to what guards your account",
    "school": "Feedback, receipts and dates of the course",
}


def tell(
    person: User,
    topic: str,
    key: str,
    subject: str,
    words: str = "",
    *,
    url: str = "",
    now: datetime,
    is_urgent: bool = False,
) -> bool:
    """Write down that this person is to be told. Telling the same `key` twice tells once; answers whether it was new.

    url: a path of ours. is_urgent: neither a digest nor quiet hours hold it back. Nothing is sent here.
    """
    if topic not in TOPICS:
        raise ValueError(f"{topic!r} is no topic by which people choose")
    _, is_new = Notice.objects.get_or_create(
        person=person,
        key=key,
        defaults={
            "topic": topic,
            "subject": subject[:200],
            "words": words,
            "url": url,
            "is_urgent": is_urgent,
            "at": now,
        },
    )
    return is_new


def tell_each(
    told: Iterable[tuple[User, str, str, str]],
    topic: str,
    *,
    now: datetime,
    words: Callable[[User], str] = lambda person: "",
    is_urgent: bool = False,
) -> None:
    """Write down news for many people in one query: (person, key, subject, url) each; of two with one key the first.

    words: what is said below the subject, to each in their own (their zone).
    """
    if topic not in TOPICS:
        raise ValueError(f"{topic!r} is no topic by which people choose")
    Notice.objects.bulk_create(
        (
            Notice(
                person=person,
                key=key,
                topic=topic,
                subject=subject[:200],
                words=words(person),
                url=url,
                is_urgent=is_urgent,
                at=now,
            )
            for person, key, subject, url in told
        ),
        ignore_conflicts=True,
    )


def write_to(people: Iterable[User], key: str, subject: str, words: str, *, now: datetime) -> int:
    """A letter that each of these people is told alone, at once. Answers to how many; the same `key` goes out once."""
    told = [
        Notice(person=person, key=key, topic="people", subject=subject[:200], words=words, is_urgent=True, at=now)
        for person in people
    ]
    Notice.objects.bulk_create(told, ignore_conflicts=True)
    return len(told)
