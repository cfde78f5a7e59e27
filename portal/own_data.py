"""What the portal holds of one person, as a zip to take along: their work, labs, costs, what they were told.

Nothing of other people's is in it, and of feedback only what was released. Every table that points at people is either
here or in LEFT_OUT with the reason; a test holds that to be all of them.
"""

import csv
import io
import json
import re
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q

from costs.models import DailySpend, Reading
from labs import keeping
from labs.models import Event, SavedFile
from portal import addresses, holding
from portal.filing import shown_name
from portal.models import Draft, Feedback, NoticeChannel, Submission, User

# (model, how it points at the person): (file, its fields). "private": only its owner may see it, so it is not in a copy
# that staff make.
HELD = {
    ("account.EmailAddress", "user"): ("email-addresses.json", ["email", "verified", "primary"]),
    ("portal.Membership", "user"): ("cohorts.json", ["cohort__name", "role", "joined_at"]),
    ("portal.RulesAccepted", "user"): ("rules-accepted.json", ["edition", "at"]),
    ("portal.NoticeWishes", "person"): ("notice-wishes.json", ["pace", "daily_at", "quiet_from", "quiet_to"]),
    ("portal.ClassSeat", "student"): (
        "labs/started-for-class.json",
        ["class_start__lab_slug", "class_start__at", "outcome", "said"],
    ),
    ("labs.Account", "owner"): ("labs/aws-accounts.json", ["name", "mode", "aws_id", "created_at", "connected_at"]),
    ("labs.StudentRole", "student"): ("labs/roles.json", ["account__name", "made_at", "leaves_at"]),
    ("labs.Launch", "owner"): (
        "labs/labs.json",
        ["id", "lab", "region", "created_at", "ready_at", "asked_to_end_at", "ended_at", "certificate"],
    ),
    ("labs.StepCheck", "launch__owner"): ("labs/steps.json", ["launch", "step", "passed", "said", "checked_at"]),
    ("labs.Resource", "owner"): (
        "labs/resources.json",
        ["launch", "kind", "name", "aws_id", "region", "first_seen_at", "closed_at", "closed_why"],
    ),
    ("costs.Budget", "owner"): ("costs/budget.json", ["usd"]),
    ("costs.BudgetExtension", "owner"): ("costs/extensions.json", ["usd", "until", "why", "at", "undone_at"]),
    ("costs.Alert", "owner"): ("costs/alerts.json", ["sentence", "detail", "usd", "opened_at", "closed_at"]),
    ("mfa.Authenticator", "user"): ("second-factors.json", ["type", "created_at", "last_used_at"]),
    ("socialaccount.SocialAccount", "user"): ("sign-in-elsewhere.json", ["provider", "uid", "date_joined"]),
    ("usersessions.UserSession", "user"): ("sessions.json", ["created_at", "last_seen_at", "ip", "user_agent"]),
    ("portal.Invitation", "person"): ("invitations.json", ["cohort__name", "email", "name", "made_at", "accepted_at"]),
    ("portal.Extension", "student"): (
        "own-deadlines.json",
        ["cohort__name", "assignment__title", "due_at", "reason", "granted_at", "withdrawn_at"],
    ),
    ("portal.Thread", "author"): ("discussions/questions.json", ["cohort__name", "title", "asked_at", "removed_at"]),
    ("portal.Post", "author"): ("discussions/posts.json", ["thread__title", "at", "body_md", "removed_at"]),
    ("portal.MaterialSeen", "reader"): ("materials-seen.json", ["material__title", "at"]),
    ("portal.OfCohort", "reader"): ("ready.json", ["cohort__name", "ready_at"]),
    ("portal.Reply", "author"): ("replies.json", ["feedback__submission__number", "text_md", "at"]),
    ("portal.Completion", "student"): (
        "certificates.json",
        ["cohort__name", "code", "name", "latin_name", "case_studies", "issued_at", "revoked_at"],
    ),
    ("portal.Leaving", "person"): ("deletion.json", ["asked_at", "erase_at", "taken_back_at"]),
}
# Written by code of their own, below.
WRITTEN = {
    ("portal.Submission", "student"),
    ("portal.Draft", "student"),
    ("portal.Notice", "person"),
    ("portal.NoticeChannel", "person"),
    ("labs.SavedFile", "owner"),
    ("costs.DailySpend", "owner"),
}
OF_THE_SCHOOL = "what they did for the school is the school's, and about others"
LEFT_OUT = {
    ("portal.Feedback", "author"): OF_THE_SCHOOL,
    ("portal.Release", "by"): OF_THE_SCHOOL,
    ("portal.AgendaItem", "by"): OF_THE_SCHOOL,
    ("portal.Announcement", "author"): OF_THE_SCHOOL,
    ("portal.ClassStart", "planned_by"): OF_THE_SCHOOL,
    ("portal.Completion", "issued_by"): OF_THE_SCHOOL,
    ("portal.Completion", "revoked_by"): OF_THE_SCHOOL,
    ("portal.DateMove", "by"): OF_THE_SCHOOL,
    ("portal.Extension", "granted_by"): OF_THE_SCHOOL,
    ("portal.FeedbackAside", "author"): OF_THE_SCHOOL,
    ("portal.FeedbackBefore", "by"): OF_THE_SCHOOL,
    ("portal.Invitation", "made_by"): OF_THE_SCHOOL,
    ("portal.InviteLink", "made_by"): OF_THE_SCHOOL,
    ("portal.Look", "let_through_by"): OF_THE_SCHOOL,
    ("portal.Phrase", "by"): OF_THE_SCHOOL,
    ("portal.PlannedRelease", "by"): OF_THE_SCHOOL,
    ("portal.Post", "removed_by"): OF_THE_SCHOOL,
    ("portal.Remark", "author"): OF_THE_SCHOOL,
    ("portal.ThreadSeen", "reader"): "how far they have read, of no meaning without the posts of others",
    ("portal.ClassStart", "cancelled_by"): OF_THE_SCHOOL,
    ("portal.Leaving", "by"): OF_THE_SCHOOL,
    ("costs.BudgetExtension", "by"): OF_THE_SCHOOL,
    ("costs.BudgetExtension", "undone_by"): OF_THE_SCHOOL,
    ("costs.LightsOut", "by"): OF_THE_SCHOOL,
    ("labs.Event", "actor"): OF_THE_SCHOOL,
    ("labs.Act", "by"): OF_THE_SCHOOL,
    ("labs.Act", "person"): "it has grades before their release",
    ("admin.LogEntry", "user"): OF_THE_SCHOOL,
    ("portal.User_groups", "user"): "the profile says what they may do",
    ("portal.User_user_permissions", "user"): "the profile says what they may do",
}
README = """Everything that {site} holds of {person} ({email}), as of {at} UTC.

profile.json      name, address, zone, what you may do
submissions/      a folder a case study, a folder a version: the answer, the files, the feedback that was released
drafts/           what you were writing, and its files
labs/             your labs, their steps, what was on in AWS
locker/           what labs saved of your work
costs/            what it cost: by day, and reading by reading (US dollars)
notices.json      what you were told

Passwords are kept as a hash that nobody can read back, and are not here; nor are the secret addresses of your chat
channels and of your calendar. Feedback that is not released yet comes with its release.{left}
"""
FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # in names, on some system


@dataclass
class Taken:
    """What a zip came to. missing: files that rows name and the disk has not."""

    files: int = 0
    missing: list = field(default_factory=list)


def write(out, person, *, site, now, is_theirs=True):
    """Write the zip to `out`, a file open for writing bytes. is_theirs: for themselves; a copy that staff make has
    neither drafts nor locker, which nobody but their owner sees. Answers Taken."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as made:
        box = _Box(made)
        _profile(box, person)
        for (label, path), (name, fields) in HELD.items():
            rows = apps.get_model(label)._base_manager.filter(**{path: person}).order_by("pk").values(*fields)
            box.add_json(name, list(rows))
        _submissions(box, person, is_theirs=is_theirs)
        _events(box, person)
        _notices(box, person)
        _costs(box, person)
        if is_theirs:
            _drafts(box, person)
            _locker(box, person)
        left = (
            ""
            if is_theirs
            else "\n\nDrafts and the locker are their owner's alone: they are not in a copy that staff make."
        )
        if box.taken.missing:
            left += "\n\nNot on our disk any more:\n" + "\n".join(box.taken.missing)
        facts = {"site": site, "person": person, "email": person.email, "at": f"{now.astimezone(UTC):%Y-%m-%d %H:%M}"}
        box.add("README.txt", README.format(left=left, **facts))
    return box.taken


class _Box:
    """The zip as it fills: every name in it is one that any system can unpack, and no two are the same."""

    def __init__(self, made):
        self.made, self.taken, self._names = made, Taken(), set()

    def add(self, name, text):
        self.made.writestr(self._free(name), text)
        self.taken.files += 1

    def add_json(self, name, rows):
        if rows:
            self.add(name, json.dumps(rows, cls=_Exact, indent=1, ensure_ascii=False))

    def add_stored(self, folder, name, path, *, within):
        """A file of a person, under what they called it."""
        name = self._free(f"{folder}/{sane(name)}")
        try:
            self.made.write(keeping.place_of(path, within=within), name)
        except (OSError, keeping.OutOfPlace):
            self.taken.missing.append(name)
        else:
            self.taken.files += 1

    def _free(self, name):
        stem, dot, ending = name.rpartition(".")
        tries = (f"{stem} ({n}){dot}{ending}" if n > 1 else name for n in range(1, 10_000))
        found = next(one for one in tries if one.casefold() not in self._names)
        self._names.add(found.casefold())
        return found


class _Exact(DjangoJSONEncoder):
    """Instants to the microsecond, in UTC."""

    def default(self, o):
        return o.astimezone(UTC).isoformat() if isinstance(o, datetime) else super().default(o)


def sane(name):
    """What a person called a file, as any system takes it."""
    return FORBIDDEN.sub("_", shown_name(name)).rstrip(". ") or "file"


def _profile(box, person):
    names = ["email", "name", "time_zone", "language", "date_joined", "last_login"]
    names += ["is_active", "is_staff", "is_superuser"]
    box.add_json("profile.json", {name: getattr(person, name) for name in names})


def _submissions(box, person, *, is_theirs):
    """What is held back for a credential in it goes to its owner alone (portal/holding.py)."""
    released = {one.submission_id: one for one in Feedback.objects.released().filter(submission__student=person)}
    found = Submission.objects.filter(student=person).select_related("assignment__week", "cohort")
    for one in found.prefetch_related("files").order_by("pk"):
        folder = f"submissions/{_case(one)}/version {one.version}"
        facts = ["number", "received_at", "is_late", "after_model_answer", "answer_sha256"]
        receipt = {"cohort": one.cohort.name, **{name: getattr(one, name) for name in facts}}
        files = [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in one.files.all()]
        box.add_json(f"{folder}/receipt.json", {**receipt, "files": files})
        stored = holding.mark(one.files.all(), one)
        if is_theirs or not one.held:
            box.add(f"{folder}/answer.md", one.answer_md)
        for file in stored:
            if is_theirs or not file.held:
                box.add_stored(f"{folder}/files", file.name, file.path, within="work")
        if feedback := released.get(one.pk):
            shown = ["score", "rubric_scores", "released_at"]
            box.add_json(f"{folder}/feedback.json", {name: getattr(feedback, name) for name in shown})
            box.add(f"{folder}/feedback.md", feedback.comment_md)


def _case(work):
    return f"{work.cohort.slug} {work.assignment.week.recorded_name} {work.assignment.slug}"


def _drafts(box, person):
    found = Draft.objects.filter(student=person).select_related("assignment__week", "cohort")
    for one in found.prefetch_related("files", "asides").order_by("pk"):
        folder = f"drafts/{_case(one)}"
        box.add(f"{folder}/answer.md", one.answer_md)
        for aside in one.asides.all():
            box.add(f"{folder}/answer of another window.md", aside.answer_md)
        for file in one.files.all():
            box.add_stored(f"{folder}/files", file.name, file.path, within="work")


def _locker(box, person):
    told = ["name", "bytes", "sha256", "saved_at", "why_not", "deleted_at"]
    found = SavedFile.objects.filter(owner=person).select_related("launch").order_by("pk")
    box.add_json(
        "locker/files.json", [{"lab": one.launch.lab, **{name: getattr(one, name) for name in told}} for one in found]
    )
    for one in found:
        if one.is_kept:
            folder = f"locker/{one.launch.lab} {one.launch.created_at:%Y-%m-%d}"
            box.add_stored(folder, one.name, one.path, within="locker")


def _events(box, person):
    """What happened in their labs, without what others did there: their names would be in it."""
    own = Event.objects.filter(Q(actor=None) | Q(actor=person), launch__owner=person)
    box.add_json("labs/events.json", list(own.order_by("pk").values("launch", "at", "code", "words")))


def _notices(box, person):
    channels = NoticeChannel.objects.filter(person=person)
    shown = [(one, person.email if one.is_mail else addresses.masked(one.address)) for one in channels]
    box.add_json(
        "notice-channels.json",
        [
            {"label": one.label, "address": address, "made_at": one.made_at, "muted": one.muted}
            for one, address in shown
        ],
    )
    # Those who teach are told of their students.
    teaches = person.is_staff or person.memberships.instructors().exists()
    told = person.notices.order_by("pk").values("at", "topic", "subject", "words", "url")
    box.add_json("notices.json", [] if teaches else list(told))


def _costs(box, person):
    days = DailySpend.objects.filter(owner=person).order_by("day", "service", "pk")
    head = ["day", "service", "region", "usd"]
    _csv(box, "costs/by-day.csv", head, days.values_list(*head).iterator())
    readings = Reading.objects.filter(resource__owner=person).order_by("start", "pk")
    head = ["start", "end", "resource__kind", "service", "meter", "quantity", "unit", "rate", "usd"]
    _csv(box, "costs/readings.csv", head, readings.values_list(*head).iterator(chunk_size=2000))


def _csv(box, name, head, rows):
    """Row by row into the zip: readings may be many. Nothing in them is a text that a person chose."""
    with box.made.open(name, "w", force_zip64=True) as out, io.TextIOWrapper(out, "utf-8", newline="") as text:
        lines = csv.writer(text)
        lines.writerow(head)
        lines.writerows([cell.isoformat() if isinstance(cell, datetime) else cell for cell in row] for row in rows)
    box.taken.files += 1


def pointing_at_people():
    """{(model, field)} of every table with a column that names a person."""
    found = defaultdict(set)
    for model in apps.get_models(include_auto_created=True):
        for column in model._meta.concrete_fields:
            if column.related_model is User:
                found[model._meta.label].add(column.name)
    return {(label, name) for label, names in found.items() for name in names}
