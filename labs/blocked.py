"""PURE. A delete that does not go on by itself: how its reason begins, and what a person can do about it."""

from __future__ import annotations

from labs.decide import GONE
from labs.models import Resource

# How `Resource.blocked_why` begins; what AWS said follows.
DENIED = "AWS does not let the portal do this"
STILL_SHOWN = "AWS took the delete"
IN_USE = "something else still uses it, so that it still costs what it costs"
KEPT = "it could not be deleted and still costs what it costs"

BY_ITSELF = "The portal goes on trying by itself."
ADVICE = {
    DENIED: "The portal's role in this account lacks a permission. Whoever runs this server gives it that permission, "
    "or deletes the thing in AWS's console.",
    STILL_SHOWN: "Some things take AWS up to an hour. Look at it in AWS's console: what its page names there may have "
    "to go first.",
    IN_USE: "Look for what AWS names above, in the same region of AWS's console, and delete that first.",
}
ELSE = "Read what AWS said above. Whoever may use AWS's console of this account deletes it there; the portal sees that."


def is_blocked_teardown(row: Resource) -> bool:
    """It was asked to go, it is still there, and a person is needed."""
    return row.closed_at is None and row.wanted == GONE and bool(row.blocked_why)


def advice(row: Resource) -> str:
    """What to do about a blocked teardown, in words for whoever sees it."""
    known = next((words for begins, words in ADVICE.items() if row.blocked_why.startswith(begins)), ELSE)
    return f"{known} {BY_ITSELF}"
