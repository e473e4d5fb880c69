"""Two desks register one ID at the same moment, each with a connection of its own: one record, one refusal."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from patients.actions import NewPatient, RefusedError, register_patient
from patients.models import Patient
from tests import builders
from tests.conftest import NOW

DESKS = 6


@pytest.mark.django_db(transaction=True)
def test_one_id_registered_at_once_is_refused_in_words() -> None:
    clinic = builders.clinic()
    barrier = Barrier(DESKS)

    def register(_nth: int) -> str:
        barrier.wait()
        try:
            register_patient(clinic, NewPatient("Dana", national_id="123456782"), now=NOW)
        except RefusedError as refusal:
            return str(refusal)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(DESKS) as desks:
        words = sorted(desks.map(register, range(DESKS)))
    assert words[0] == ""
    assert all("registered already" in refusal for refusal in words[1:])
    assert Patient.objects.count() == 1
