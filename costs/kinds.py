"""What the registry says of a kind, and something sensible for a kind that this version no longer has."""

from __future__ import annotations

from django.utils.translation import gettext

from labs.kinds import registry


def cost_service(name: str) -> str:
    """What the bill calls it: EC2, SageMaker, S3."""
    kind = registry().get(name)
    return (kind.cost_service or kind.service.upper()) if kind else name


def title_of(name: str) -> str:
    kind = registry().get(name)
    return kind.title if kind else name


def icon_of(name: str) -> str:
    kind = registry().get(name)
    return kind.icon if kind else "help-circle"


def can_stop(name: str) -> bool:
    kind = registry().get(name)
    return bool(kind and kind.can_stop)


def ends_by_itself(name: str) -> bool:
    """It is work, such as a training job, and not a machine that waits for some."""
    kind = registry().get(name)
    return bool(kind and kind.ends_by_itself)


def is_free(name: str) -> bool:
    kind = registry().get(name)
    return bool(kind and kind.is_free)


def stop_deletes(name: str) -> bool:
    """It has no stop and costs by the hour, so that turning it off is deleting it: an endpoint."""
    kind = registry().get(name)
    return bool(kind and not kind.can_stop and kind.stop_means == "delete")


def kept_on_stop(name: str) -> str:
    """In the reader's language, as far as it is known."""
    kind = registry().get(name)
    return gettext(kind.kept_on_stop) if kind and kind.kept_on_stop else ""


def lost_on_delete(name: str) -> str:
    """In the reader's language, as far as it is known."""
    kind = registry().get(name)
    return gettext(kind.lost_on_delete) if kind and kind.lost_on_delete else ""


def label_of(meter: str) -> str:
    """Of a meter as readings name it (service/kind/sku/label), what tells it from the others of its resource."""
    return meter.rpartition("/")[2] or meter.split("/")[2]
