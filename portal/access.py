"""Who may see and do what. What a person may not see does not exist for them: pages answer 404, lists leave it out.

Roles: student and instructor are of a cohort (Membership); admin is `is_staff`. Labs and costs know no roles: they ask
Django's own object permissions, which ScopeBackend answers here.
"""

from dataclasses import dataclass
from functools import cached_property, wraps

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404

from labs.models import Account
from portal.models import Assignment, Cohort, CohortWeek, LabInWeek, Material, Membership, Submission, Thread

SCOPE_PERMISSIONS = {"costs.view_spend", "costs.act"}
LAUNCH_PERMISSIONS = {"labs.view_launch", "labs.act_launch"}


@dataclass(frozen=True)
class Standing:
    """What a person is in one cohort. role: student, instructor or admin."""

    user: object
    cohort: Cohort
    role: str
    membership: Membership | None = None

    @property
    def is_student(self):
        return self.role == Membership.Role.STUDENT

    @property
    def teaches(self):
        """Instructors of the cohort and admins: they preview what is not released, review, release and see spend."""
        return not self.is_student

    # What exists for this person, of each thing that belongs to a week. Nothing else asks these tables for a page.

    def materials(self, at):
        return self._parts(Material.objects.all(), at)

    def assignments(self, at):
        return self._parts(Assignment.objects.all(), at)

    def labs(self, at):
        return self._parts(LabInWeek.objects.all(), at)

    def _parts(self, parts, at):
        return parts.filter(week__course=self.cohort.course_id) if self.teaches else parts.released(self.cohort, at)

    def threads(self, at):
        """Questions of this cohort alone; the course is shared by several."""
        of_cohort = Thread.objects.filter(cohort=self.cohort, removed_at=None)
        return of_cohort if self.teaches else of_cohort.released(self.cohort, at)

    def submissions(self):
        """Their own, or for those who teach everybody's in the cohort."""
        of_cohort = Submission.objects.filter(cohort=self.cohort)
        return of_cohort if self.teaches else of_cohort.filter(student=self.user)

    @cached_property
    def told(self):
        """The cohort's weeks in order (CohortWeek with its week), each with its dates; one query."""
        return list(CohortWeek.objects.filter(cohort=self.cohort).select_related("week").order_by("week__number"))

    def week(self, number):
        """The cohort's CohortWeek of that number. Raises Http404 when the course has no such week."""
        found = next((told for told in self.told if told.week.number == number), None)
        if found is None:
            raise Http404("No such week.")
        return found


def standings(user):
    """Every cohort that this person has a standing in, the newest first: {slug: Standing}. One query; admins: two."""
    if not user.is_authenticated or not user.is_active:
        return {}
    own = {
        membership.cohort.slug: Standing(user, membership.cohort, membership.role, membership)
        for membership in user.memberships.select_related("cohort__course").order_by(
            "-cohort__start_on", "cohort__slug"
        )
    }
    if not user.is_staff:
        return own
    return {
        cohort.slug: own.get(cohort.slug) or Standing(user, cohort, "admin")
        for cohort in Cohort.objects.select_related("course")
    }


def _standings_kept(user):
    """The same, kept on the person for the request, as ModelBackend keeps its permissions."""
    if not hasattr(user, "_standings"):
        user._standings = standings(user)
    return user._standings


def standing(request, slug=None):
    """The asker's Standing in the cohort `slug`; without a slug in the cohort they chose, else in their newest.

    None when they have none. Read once a request.
    """
    if not hasattr(request, "standings"):
        request.standings = _standings_kept(request.user)
    found = request.standings
    if slug is not None:
        return found.get(slug)
    return found.get(request.session.get("cohort")) or next(iter(found.values()), None)


def member_page(view):
    """For people with a standing in a cohort: the view gets it as `standing`. For others the page does not exist."""

    @login_required
    @wraps(view)
    def guarded(request, *args, **kwargs):
        here = standing(request)
        if here is None:
            raise Http404("You are in no cohort yet.")
        return view(request, *args, standing=here, **kwargs)

    return guarded


def teacher_page(view):
    """For instructors of the cohort named in the address (`cohort`), and admins."""

    @login_required
    @wraps(view)
    def guarded(request, cohort, *args, **kwargs):
        here = standing(request, cohort)
        if here is None or not here.teaches:
            raise Http404("No such cohort.")
        return view(request, *args, standing=here, **kwargs)

    return guarded


# --- AWS accounts --------------------------------------------------------------------------------------------


def connectable(user):
    """The real AWS accounts that this person may connect and let go of: their own; of admins, the shared ones."""
    mine = Q(mode=Account.OWN, owner=user)
    return Account.objects.filter(mine | Q(mode=Account.SHARED) if user.is_staff else mine)


def accounts_visible_to(user):
    """The real AWS accounts that this person answers for: an admin for all, an instructor for those of their cohorts
    and for a shared one that is every cohort's. Students answer for none."""
    real = Account.objects.real()
    if user.is_staff:
        return real
    scopes = scopes_visible_to(user)
    return real.filter(Q(scope__in=scopes) | Q(mode=Account.SHARED, scope="")) if scopes else real.none()


# --- what labs and costs ask ---------------------------------------------------------------------------------


def scopes_visible_to(user):
    """The scopes whose labs and spend this person may see beyond their own: hex strings; "" is what is nobody's."""
    if not user.is_authenticated or not user.is_active:
        return []
    if user.is_staff:
        return [*Cohort.objects.order_by("-start_on", "slug").values_list("scope", flat=True), ""]
    return list(
        user.memberships.instructors()
        .order_by("-cohort__start_on", "cohort__slug")
        .values_list("cohort__scope", flat=True)
    )


class ScopeBackend(BaseBackend):
    """Answers has_perm() for "costs.view_spend" and "costs.act" of a scope, "labs.view_launch" and "labs.act_launch" of
    a launch. A scope is a cohort's hex string; "" belongs to admins alone. Superusers are never asked.
    """

    def has_perm(self, user_obj, perm, obj=None):
        if obj is None or not user_obj.is_active or user_obj.is_anonymous:
            return False
        if perm in SCOPE_PERMISSIONS and isinstance(obj, str):
            return self._answers_for(user_obj, obj)
        if perm in LAUNCH_PERMISSIONS:
            return obj.owner_id == user_obj.pk or self._answers_for(user_obj, obj.scope)
        return False

    def scopes_with(self, user_obj, perm):
        """Of whoever teaches: their cohorts' scopes. Of an admin None: for them there is more than cohorts."""
        if perm not in SCOPE_PERMISSIONS or user_obj.is_staff:
            return None
        return sorted(one.cohort.scope for one in _standings_kept(user_obj).values() if one.teaches)

    @staticmethod
    def _answers_for(user, scope):
        if user.is_staff:
            return True
        return bool(scope) and any(one.teaches and one.cohort.scope == scope for one in _standings_kept(user).values())
