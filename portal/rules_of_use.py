"""The rules of use of real AWS accounts: read and accepted once, before a person's first lab in one."""

from portal.models import RulesAccepted

# Raised when templates/portal/_rules_of_use.html says something else: it is then accepted anew.
EDITION = 1


def accepted_at(user):
    """When this person accepted the present rules; None when they have not. One query."""
    return RulesAccepted.objects.filter(user=user, edition=EDITION).values_list("at", flat=True).first()


def who_accepted(users):
    """The ids of those of these people who accepted the present rules. One query."""
    return set(RulesAccepted.objects.filter(user__in=users, edition=EDITION).values_list("user", flat=True))


def accept(user, now):
    """Write down that this person accepts the present rules. The first time counts."""
    accepted, _ = RulesAccepted.objects.get_or_create(user=user, edition=EDITION, defaults={"at": now})
    return accepted
