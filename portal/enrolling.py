"""Opening a cohort, telling it its dates, and taking people in."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Max

from labs import admitting, audit, practice
from labs.models import StudentRole
from portal import schedule, telling
from portal.models import Cohort, CohortWeek, Membership

# After the last session of a cohort its students keep their roles in the shared account for so long.
ROLES_STAY_FOR = timedelta(days=7)


def open_cohort(course, *, slug, name, start_on, now, **facts):
    """A cohort of `course` whose onboarding is on the Saturday `start_on`, with its dates told, to costs too.

    `now` opens enrolment unless `enrolment_opens_at` is among `facts`, which are further fields of Cohort.
    """
    facts.setdefault("enrolment_opens_at", now)
    cohort = Cohort(course=course, slug=slug, name=name, start_on=start_on, **facts)
    cohort.full_clean()
    with transaction.atomic():
        cohort.save()
        tell_dates(cohort)
        telling.tell_costs(now)
    return cohort


@transaction.atomic
def tell_dates(cohort):
    """Write down the dates of the course's weeks that this cohort was not told yet. Told dates are not touched.

    Answers the new CohortWeeks. Run again after a week was added to the course.
    """
    weeks = {week.number: week for week in cohort.course.weeks.all()}
    told = set(cohort.told.values_list("week__number", flat=True))
    taught = max((number for number in weeks if number != schedule.OPTIONAL), default=0)
    return CohortWeek.objects.bulk_create(
        CohortWeek(
            cohort=cohort,
            week=weeks[dates.number],
            released_at=dates.released_at,
            due_at=dates.due_at,
            feedback_at=dates.feedback_at,
            session_at=dates.session_at,
        )
        for dates in cohort.computed_dates(weeks=taught)
        if dates.number in weeks and dates.number not in told
    )


@transaction.atomic
def enrol(cohort, user, *, now, role=Membership.Role.STUDENT, by=None):
    """Take a person into the cohort, once: whoever is in it already keeps their role. Students get a practice account
    where there is practice mode.

    A person who was never signed in reads dates in the cohort's zone until they choose another. by: whose act it is.
    """
    membership, is_new = Membership.objects.get_or_create(
        cohort=cohort, user=user, defaults={"role": role, "joined_at": now}
    )
    if is_new:
        audit.note("role", f"now {role} of {cohort.slug}", by=by, person=user, scope=cohort.scope, now=now)
    if is_new and user.last_login is None and user.time_zone != cohort.zone:
        user.time_zone = cohort.zone
        user.save(update_fields=["time_zone"])
    if membership.role == Membership.Role.STUDENT and practice.is_on():
        practice_account(user, now=now)
    return membership


def practice_account(user, *, now):
    """The person's simulated AWS account; made when they have none. Its scope is that of their newest cohort."""
    newest = user.memberships.select_related("cohort").order_by("-cohort__start_on", "cohort__slug").first()
    if newest is None:
        return practice.account_of(user, now=now)
    cohort = newest.cohort
    return practice.account_of(user, now=now, scope=cohort.scope, lab_regions=cohort.lab_regions)


def let_leave(now):
    """Take the roles in shared accounts away from those who are in no running cohort any more. Answers how many.

    A cohort runs until a week after its last session. Admins keep theirs.
    """
    over = Cohort.objects.annotate(last=Max("told__session_at")).filter(last__lte=now - ROLES_STAY_FOR)
    staying = Membership.objects.exclude(cohort__in=over.values("pk")).values("user")
    roles = StudentRole.objects.exclude(student__in=staying).exclude(student__is_staff=True)
    return admitting.ask_to_leave(roles, now)
