"""The admin pages: people, cohorts and who is in them. Course content comes from files; work is only looked at."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from labs import audit, practice
from portal import enrolling, models, telling

# What of a person says what they may do.
MAY = ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]


def _shown(value):
    return ("yes" if value else "no") if isinstance(value, bool) else ", ".join(map(str, value)) or "none"


@admin.register(models.User)
class PersonAdmin(UserAdmin):
    add_form = AdminUserCreationForm
    ordering = ["name", "email"]
    list_display = ["name", "email", "time_zone", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active", "is_demo"]
    search_fields = ["name", "email"]
    readonly_fields = ["last_login", "seen_at", "date_joined", "is_demo"]
    fieldsets = [
        (None, {"fields": ["email", "password", "name", "time_zone", "language"]}),
        ("May", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "seen_at", "date_joined", "is_demo"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "time_zone", "usable_password", "password1", "password2"]})]

    def has_delete_permission(self, request, obj=None):
        """Their work, marks and spend stand on the row: it is emptied instead (portal/leaving.py)."""
        return False

    def view_on_site(self, person):
        """Where what the portal holds of them is taken along, and they are deleted."""
        return reverse("portal:person_data", args=[person.pk])

    def save_related(self, request, form, formsets, change):
        """What a person may do is changed only with a word of it in the record."""
        super().save_related(request, form, formsets, change)
        changed = [name for name in MAY if name in form.changed_data]
        if words := ", ".join(f"{name}: {_shown(form.cleaned_data[name])}" for name in changed):
            audit.note("role", words, by=request.user, person=form.instance, now=timezone.now())

    def save_model(self, request, obj, form, change):
        """Another address was not proved yet, and the one before opens nothing any more: no mail, no Google."""
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            EmailAddress.objects.filter(user=obj).delete()
            SocialAccount.objects.filter(user=obj).delete()


class LookOnly(admin.ModelAdmin):
    """Rows that only the product itself writes: the record would lie if somebody could edit it here."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class MembershipInline(admin.TabularInline):
    model = models.Membership
    extra = 0
    autocomplete_fields = ["user"]
    readonly_fields = ["joined_at"]


@admin.register(models.Cohort)
class CohortAdmin(admin.ModelAdmin):
    list_display = ["name", "course", "start_on", "zone", "student_budget_usd", "cohort_budget_usd"]
    readonly_fields = ["scope"]
    inlines = [MembershipInline]

    def save_related(self, request, form, formsets, change):
        """A cohort made or changed here is told its dates, costs learn of it, and its students get their accounts."""
        super().save_related(request, form, formsets, change)
        now, cohort = timezone.now(), form.instance
        enrolling.tell_dates(cohort)
        telling.tell_costs(now)
        self._note_roles(request.user, cohort, formsets, now)
        for membership in cohort.memberships.students().select_related("user") if practice.is_on() else ():
            enrolling.practice_account(membership.user, now=now)

    @staticmethod
    def _note_roles(by, cohort, formsets, now):
        [members] = [one for one in formsets if one.model is models.Membership]
        there = [*members.new_objects, *(member for member, _ in members.changed_objects)]
        said = [(member, f"now {member.role} of {cohort.slug}") for member in there]
        said += [(member, f"no longer {member.role} of {cohort.slug}") for member in members.deleted_objects]
        for member, words in said:
            audit.note("role", words, by=by, person=member.user_id, scope=cohort.scope, now=now)


@admin.register(models.CohortWeek)
class CohortWeekAdmin(admin.ModelAdmin):
    list_display = ["cohort", "week", "released_at", "due_at", "feedback_at", "session_at"]
    list_filter = ["cohort"]

    @transaction.atomic
    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        models.Draft.objects.filter(cohort=obj.cohort).move_deadline()


@admin.register(models.Submission)
class SubmissionAdmin(LookOnly):
    list_display = ["number", "student", "assignment", "version", "received_at", "is_late", "after_model_answer"]
    list_filter = ["cohort", "is_late", "after_model_answer"]
    search_fields = ["number", "student__name", "student__email"]


@admin.register(models.Look)
class LookAdmin(LookOnly):
    list_display = ["__str__", "state", "looked_at", "let_through_at", "let_through_by", "reason"]
    list_filter = ["state"]


@admin.register(models.Feedback)
class FeedbackAdmin(LookOnly):
    list_display = ["submission", "score", "state", "author", "released_at"]
    list_filter = ["state"]


@admin.register(models.Release)
class ReleaseAdmin(LookOnly):
    list_display = ["cohort", "week", "by", "at", "count"]
