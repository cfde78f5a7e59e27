"""What people are told: written down first, delivered by whatever channels they chose, when these work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from portal import languages
from portal.models import Notice, User

Said = str | Promise | Callable[[], str]

# What may be told: the words by which a person chooses.
TOPICS = {
    "lights": gettext_lazy("Lights of yours that are left on, and what was turned off"),
    "budget": gettext_lazy("Budgets that are nearly used up, and days that cost far more than usual"),
    "teaching": gettext_lazy("For those who teach: lights, budgets and the week's spend of a cohort"),
    "people": gettext_lazy("Messages of your instructor, and changes to what guards your account"),
    "school": gettext_lazy("Feedback, receipts and dates of the course"),
}


def tell(
    person: User,
    topic: str,
    key: str,
    subject: Said,
    words: Said = "",
    *,
    url: str = "",
    now: datetime,
    is_urgent: bool = False,
) -> bool:
    """Write down that this person is to be told. Telling the same `key` twice tells once; answers whether it was new.

    subject, words: lazily translated, or functions, they are said in the language of the person.

    url: a path of ours. is_urgent: neither a digest nor quiet hours hold it back. Nothing is sent here.
    """
    if topic not in TOPICS:
        raise ValueError(f"{topic!r} is no topic by which people choose")
    with translation.override(languages.of(person)):
        defaults = {
            "topic": topic,
            "subject": _said(subject)[:200],
            "words": _said(words),
            "url": url,
            "is_urgent": is_urgent,
            "at": now,
        }
    return Notice.objects.get_or_create(person=person, key=key, defaults=defaults)[1]


def _said(what: Said) -> str:
    return str(what()) if callable(what) else str(what)


def tell_each(
    told: Iterable[tuple[User, str, Said, str]],
    topic: str,
    *,
    now: datetime,
    words: Callable[[User], str] = lambda person: "",
    is_urgent: bool = False,
) -> None:
    """Write down news for many people in one query: (person, key, subject, url) each; of two with one key the first.

    words: what is said below the subject, to each in their own (their zone). It is asked, and a subject that is lazily
    translated or a function is said, in the language of the person.
    """
    if topic not in TOPICS:
        raise ValueError(f"{topic!r} is no topic by which people choose")
    new = []
    for person, key, subject, url in told:
        with translation.override(languages.of(person)):
            said = {"subject": _said(subject)[:200], "words": str(words(person))}
        new.append(Notice(person=person, key=key, topic=topic, url=url, is_urgent=is_urgent, at=now, **said))
    Notice.objects.bulk_create(new, ignore_conflicts=True)


def write_to(people: Iterable[User], key: str, subject: str, words: str, *, now: datetime) -> int:
    """A letter that each of these people is told alone, at once. Answers to how many; the same `key` goes out once."""
    told = [
        Notice(person=person, key=key, topic="people", subject=subject[:200], words=words, is_urgent=True, at=now)
        for person in people
    ]
    Notice.objects.bulk_create(told, ignore_conflicts=True)
    return len(told)
