"""What the SageMaker jobs have in common. A job ends by itself, its name is never used again, and AWS keeps a record of
it: only one that is in progress or stopping is a resource, and the record is where its end is read from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, utc
from labs.kinds.base import ABSENT, PENDING, RUNNING, STOPPING, Meter, OffCall, Seen, Want
from labs.kinds.sagemaker_named import SageMakerKind, pages_of

ON = ("InProgress", "Stopping")
# Machines with disks of their own: SageMaker gives these no volume, and bills none.
WITH_OWN_DISKS = ("ml.g4dn.", "ml.g5.", "ml.g6.", "ml.p4d.", "ml.p4de.", "ml.p5.", "ml.m5d.", "ml.c5d.", "ml.r5d.")


class SageMakerJob(SageMakerKind):
    """A job says what its parts of the API are called, and which machines an answer of `describe` has at work."""

    ends_by_itself = True
    stop_means = "delete"
    kept_on_stop = gettext_noop("A job has no pause: it is stopped for good. What it has written to S3 is kept.")
    lost_on_delete = gettext_noop(
        "What it has not written to S3 yet is lost. Its record stays in SageMaker, and is free."
    )

    noun = ""  # "TrainingJob": before Name, Arn, Status and Summaries
    times = ""  # "Training": before StartTime and EndTime
    operation = ""  # "training_job": after create_, describe_ and stop_
    line = ""  # what the price book calls its machines

    def machines_of(self, client, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
        """[{"type", "count", "disk_gb" each}] of the machines that AWS bills now."""
        raise TypeError(f"{self.name} does not say which machines it has")

    def more_facts(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """What else is worth knowing of it, also when it has ended."""
        return {}

    def delete(self, client, want: Want, seen: Seen) -> None:
        # It may take two minutes to save what it has: while it stops, nothing more is to be asked.
        if seen.state in (PENDING, RUNNING):
            getattr(client, f"stop_{self.operation}")(**{f"{self.noun}Name": seen.aws_id})

    def off_call(self, want: Want) -> OffCall:
        return OffCall("sagemaker", f"stop{self.noun}", {f"{self.noun}Name": want.aws_id or want.name})

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return getattr(client, f"describe_{self.operation}")(**{f"{self.noun}Name": name})

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        """Only what is on: records pile up for ever. One that begins to stop between the calls is listed twice."""
        found: dict[str, Mapping[str, Any]] = {}
        for status in ON:
            lines = pages_of(client, f"list_{self.operation}s", f"{self.noun}Summaries", StatusEquals=status)
            found |= {line[f"{self.noun}Name"]: line for line in lines}
        return found.values()

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        status = answer[f"{self.noun}Status"]
        facts = {"arn": answer[self.arn_member], **self.more_facts(answer)}
        if not self.is_on(answer):
            facts |= {"ended": self.how_it_ended(answer), "is_done": status == "Completed"}
            return self._told(answer, ABSENT, facts, tags, since=answer.get(f"{self.times}EndTime"))
        began = self.began(answer)
        state = STOPPING if status == "Stopping" else RUNNING if began else PENDING
        since = answer.get("LastModifiedTime") if state == STOPPING else began or answer["CreationTime"]
        facts["machines"] = self.machines_of(client, answer)
        return self._told(answer, state, facts, tags, since=since)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        """No list says whether the machines have begun, nor which they are."""
        state = STOPPING if answer[f"{self.noun}Status"] == "Stopping" else RUNNING
        return self._told(answer, state, {"arn": answer[self.arn_member]}, {}, since=None, whole=False)

    def began(self, answer: Mapping[str, Any]) -> Any:
        """When AWS began to bill it: an instant, or None while it still waits for its machines."""
        return answer.get(f"{self.times}StartTime")

    def is_on(self, answer: Mapping[str, Any]) -> bool:
        """Whether it may still cost."""
        return answer[f"{self.noun}Status"] in ON

    def how_it_ended(self, answer: Mapping[str, Any]) -> str:
        """In words that go on from its name."""
        status = answer[f"{self.noun}Status"]
        if status == "Failed":
            return f"it failed: {answer.get('FailureReason') or 'AWS gives no reason'}"
        if answer.get("SecondaryStatus") in ("MaxRuntimeExceeded", "MaxWaitTimeExceeded"):
            return "AWS stopped it: it had reached the longest time that it was given"
        return {"Completed": "it completed", "Stopped": "it was stopped before it was done"}.get(status, "it ended")

    def meters(self, seen: Seen) -> list[Meter]:
        """By the second from the start of its machines to their end, times the machines; their disks by GB-month."""
        if seen.state not in (RUNNING, STOPPING):
            return []
        return _meters_of(self.line, seen.facts["machines"])

    def _told(self, answer, state, facts, tags, *, since, whole=True) -> Seen:
        name, status = answer[f"{self.noun}Name"], answer[f"{self.noun}Status"]
        return Seen(
            state,
            aws_id=name,
            name=name,
            since=utc(since),
            facts=facts,
            tags=tags,
            # Not the last modification: of a transform job only the list tells it.
            mark=mark(status, answer["CreationTime"], *self.marks(answer)),
            whole=whole,
        )

    def marks(self, answer: Mapping[str, Any]) -> Sequence[Any]:
        """What its list shows of a change beside the status."""
        return ()


def machine(kind: str, count: Any, disk_gb: Any) -> dict[str, Any]:
    """Machines as facts tell them: {"type", "count", "disk_gb"}: the volume of each, 0 where it has its own disk."""
    return {"type": kind, "count": int(count), "disk_gb": 0 if kind.startswith(WITH_OWN_DISKS) else int(disk_gb or 0)}


def _meters_of(line: str, machines: Iterable[Mapping[str, Any]]) -> list[Meter]:
    meters = []
    for each in machines:
        count, disks = Decimal(each["count"]), Decimal(each["count"]) * each["disk_gb"]
        label = f"{count} x {each['type']}" if count > 1 else each["type"]
        meters.append(Meter("SageMaker", line, each["type"], "Hrs", count, label=label))
        if disks:
            disk = f"{label}: disk {disks} GB"
            meters.append(Meter("SageMaker", "storage", "ML-storage-gp2", "GB-Mo", disks, per="month", label=disk))
    return meters


def machines_asked(params: Mapping[str, Any], disk_gb: int = 0) -> list[dict[str, Any]]:
    """As params ask for them: type, count (1), gb."""
    return [machine(params["type"], params.get("count", 1), params.get("gb", disk_gb))]
