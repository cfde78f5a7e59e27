"""What labs and costs are answered when they ask who may."""

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser

from conftest import member, person
from portal import access
from portal.models import User

pytestmark = pytest.mark.django_db


def launch_of(owner, scope):
    return SimpleNamespace(owner_id=owner.pk, scope=scope)


def fresh(user):
    """As the next request sees them: Django keeps answers on the person."""
    return User.objects.get(pk=user.pk)


@pytest.fixture
def dahlia(other_cohort, now):
    """The instructor of another cohort."""
    return member(other_cohort, "dahlia", "instructor", now)


@pytest.mark.parametrize("permission", ["costs.view_spend", "costs.act"])
def test_a_scope_is_for_its_instructors_and_for_admins(permission, cohort, aye, chit, dahlia, admin):
    assert {user.name for user in (aye, chit, dahlia, admin) if user.has_perm(permission, cohort.scope)} == {
        "Chit",
        "Hazel",
    }


@pytest.mark.parametrize("permission", ["costs.view_spend", "costs.act"])
def test_what_is_nobodys_is_for_admins_alone(permission, cohort, aye, chit, admin):
    assert {user.name for user in (aye, chit, admin) if user.has_perm(permission, "")} == {"Hazel"}


@pytest.mark.parametrize("permission", ["labs.view_launch", "labs.act_launch"])
def test_a_launch_is_for_its_owner_their_instructors_and_admins(permission, cohort, aye, bo, chit, dahlia, admin):
    launch = launch_of(aye, cohort.scope)
    assert {user.name for user in (aye, bo, chit, dahlia, admin) if user.has_perm(permission, launch)} == {
        "Aye",
        "Chit",
        "Hazel",
    }


def test_a_launch_of_no_scope_is_for_its_owner_and_admins(cohort, aye, chit, admin):
    launch = launch_of(aye, "")
    assert [user.has_perm("labs.view_launch", launch) for user in (aye, chit, admin)] == [True, False, True]


def test_whoever_was_shut_out_may_nothing(cohort, chit, admin):
    for user in (chit, admin):
        user.is_active = False
        user.save()
        assert not fresh(user).has_perm("costs.view_spend", cohort.scope)
        assert access.scopes_visible_to(fresh(user)) == []


def test_anonymous_may_nothing(cohort, aye):
    assert not AnonymousUser().has_perm("labs.view_launch", launch_of(aye, cohort.scope))
    assert access.scopes_visible_to(AnonymousUser()) == []


def test_a_superuser_is_never_refused(cohort):
    root = person("root", is_superuser=True)
    assert root.has_perm("costs.act", "") and root.has_perm("labs.act_launch", launch_of(root, cohort.scope))


def test_an_unknown_permission_or_object_is_refused(cohort, chit, admin):
    assert not chit.has_perm("costs.delete_everything", cohort.scope)
    assert not chit.has_perm("costs.view_spend", cohort)
    assert not chit.has_perm("costs.view_spend")
    assert not admin.has_perm("portal.delete_user")


def test_visible_scopes_are_those_one_teaches_and_all_for_admins(cohort, other_cohort, aye, chit, dahlia, admin):
    assert access.scopes_visible_to(aye) == []
    assert access.scopes_visible_to(chit) == [cohort.scope]
    assert access.scopes_visible_to(dahlia) == [other_cohort.scope]
    assert access.scopes_visible_to(admin) == [other_cohort.scope, cohort.scope, ""]


def test_many_questions_of_one_request_cost_one_query(cohort, chit, django_assert_num_queries):
    with django_assert_num_queries(1):
        for _ in range(20):
            chit.has_perm("costs.view_spend", cohort.scope)


def test_a_student_who_teaches_another_cohort_has_each_role_where_it_belongs(cohort, other_cohort, aye, now):
    from portal import enrolling

    enrolling.enrol(other_cohort, aye, role="instructor", now=now)
    found = access.standings(aye)
    assert (found[cohort.slug].role, found[other_cohort.slug].role) == ("student", "instructor")
    assert [aye.has_perm("costs.act", scope) for scope in (cohort.scope, other_cohort.scope)] == [False, True]
