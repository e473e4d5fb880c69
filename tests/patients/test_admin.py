"""The set-up leaves no clinic without an administrator who can log in, and says whom it needs first."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from patients.models import Clinic, Membership, Role
from patients.queries import clinics_left_alone
from tests import builders

pytestmark = pytest.mark.django_db
ONLY = "The only administrator of"
LAST = "The last superuser"


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def dan(clinic: Clinic) -> User:
    return builders.user(Role.ADMIN, at=clinic)


@pytest.fixture
def setup(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", password="x"))
    return client


def membership_of(user: User) -> Membership:
    return Membership.objects.get(user=user)


def demote(setup: Client, membership: Membership, role: str = Role.MANAGER) -> Any:
    page = reverse("admin:patients_membership_change", args=[membership.pk])
    return setup.post(page, {"user": membership.user_id, "clinic": membership.clinic_id, "role": role})


def test_the_last_administrator_is_not_demoted(setup: Client, dan: User) -> None:
    answer = demote(setup, membership_of(dan))
    assert ONLY in answer.content.decode()
    assert membership_of(dan).role == Role.ADMIN


def test_with_another_administrator_one_may_go(setup: Client, clinic: Clinic, dan: User) -> None:
    builders.user(Role.ADMIN, at=clinic)
    assert demote(setup, membership_of(dan)).status_code == 302
    assert membership_of(dan).role == Role.MANAGER


def test_an_administrator_who_cannot_log_in_is_none(setup: Client, clinic: Clinic, dan: User) -> None:
    builders.user(Role.ADMIN, at=clinic, is_active=False)
    builders.user(Role.ADMIN, at=builders.clinic())
    assert demote(setup, membership_of(dan)).status_code == 200
    assert membership_of(dan).role == Role.ADMIN


@pytest.mark.parametrize("model", ["patients_membership", "auth_user"])
def test_the_last_administrator_is_not_removed(setup: Client, dan: User, model: str) -> None:
    row = membership_of(dan).pk if model == "patients_membership" else dan.pk
    answer = setup.post(reverse(f"admin:{model}_delete", args=[row]), {"post": "yes"})
    assert ONLY in answer.content.decode()
    many = {"action": "delete_selected", "_selected_action": [row], "post": "yes"}
    setup.post(reverse(f"admin:{model}_changelist"), many)
    assert membership_of(dan).role == Role.ADMIN


def test_two_administrators_are_not_removed_at_once(setup: Client, clinic: Clinic, dan: User) -> None:
    both = [membership_of(dan).pk, membership_of(builders.user(Role.ADMIN, at=clinic)).pk]
    many = {"action": "delete_selected", "_selected_action": both, "post": "yes"}
    setup.post(reverse("admin:patients_membership_changelist"), many)
    assert Membership.objects.filter(pk__in=both).count() == 2


def user_form(user: User, **changed: Any) -> dict[str, Any]:
    given = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(user, name)}
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "10:00"}
    return {"username": user.username, **joined, **given} | changed


def test_the_last_administrator_is_not_made_inactive(setup: Client, dan: User) -> None:
    page = reverse("admin:auth_user_change", args=[dan.pk])
    answer = setup.post(page, user_form(dan, is_active=""))
    assert ONLY in answer.content.decode()
    assert User.objects.get(pk=dan.pk).is_active
    assert setup.post(page, user_form(dan, first_name="Dan")).status_code == 302


@pytest.mark.parametrize("taken", ["is_active", "is_staff", "is_superuser"])
def test_the_last_superuser_keeps_the_key_to_the_set_up(setup: Client, taken: str) -> None:
    root = User.objects.get(username="root")
    page = reverse("admin:auth_user_change", args=[root.pk])
    assert LAST in setup.post(page, user_form(root, **{taken: ""})).content.decode()
    assert (
        LAST
        in setup.post(reverse("admin:auth_user_delete", args=[root.pk]), {"post": "yes"}).content.decode()
    )
    User.objects.create_superuser("second", password="x")
    assert setup.post(page, user_form(root, **{taken: ""})).status_code == 302


def clinic_form(clinic: Clinic, members: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("name", "slug", "sender_name", "phone", "time_zone", "country", "language", "cell_minutes")
    data: dict[str, Any] = {name: getattr(clinic, name) for name in names}
    for inline in ("hours", "closed_days"):
        data |= {f"{inline}-TOTAL_FORMS": 0, f"{inline}-INITIAL_FORMS": 0}
    old = sum("id" in member for member in members)
    data |= {"memberships-TOTAL_FORMS": len(members), "memberships-INITIAL_FORMS": old}
    for number, member in enumerate(members):
        data |= {f"memberships-{number}-{name}": value for name, value in member.items()}
    return data


@pytest.mark.parametrize("change", [{"DELETE": "on"}, {"role": Role.DOCTOR}])
def test_on_the_clinics_page_one_hands_over_to_another(
    setup: Client, clinic: Clinic, dan: User, change: dict[str, str]
) -> None:
    page = reverse("admin:patients_clinic_change", args=[clinic.pk])
    old = {"id": membership_of(dan).pk, "clinic": clinic.pk, "user": dan.pk, "role": Role.ADMIN} | change
    answer = setup.post(page, clinic_form(clinic, [old]))
    assert ONLY in answer.content.decode()
    assert membership_of(dan).role == Role.ADMIN
    new = {"clinic": clinic.pk, "user": builders.user().pk, "role": Role.ADMIN}
    assert setup.post(page, clinic_form(clinic, [old, new])).status_code == 302
    assert not clinics_left_alone(Membership.objects.none()).exists()
    assert Membership.objects.filter(clinic=clinic, role=Role.ADMIN).exclude(user=dan).exists()
