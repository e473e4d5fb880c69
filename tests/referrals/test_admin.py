"""The pages of set-up show referrals and documents, and change nothing."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests import builders

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", ["referral", "incomingdocument"])
def test_rows_are_shown_and_cannot_be_changed(client: Client, model: str) -> None:
    row = builders.referral() if model == "referral" else builders.document()
    client.force_login(User.objects.create_superuser("root", password="x"))
    assert client.get(reverse(f"admin:referrals_{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:referrals_{model}_add")).status_code == 403
    page = reverse(f"admin:referrals_{model}_change", args=[row.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"status": "rejected"}).status_code == 403
