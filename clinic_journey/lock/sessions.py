"""Sessions in the database, as Django's own, but for a lock: a slower request does not take it off again.

A request saves its session whole, as it read it when it began. One that began before somebody locked the desk and
ends after it would write "open" over "locked".
"""

from django.contrib.sessions.backends import db
from django.db import transaction

from clinic_journey.lock.desk import KEY


class SessionStore(db.SessionStore):
    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        if must_create or self.session_key is None:
            super().save(must_create=must_create)
            return
        with transaction.atomic(savepoint=False):
            stored = self.model.objects.select_for_update().filter(session_key=self.session_key).first()
            there = self.decode(stored.session_data).get(KEY, {}) if stored else {}
            if there.get("locks", 0) > self.get(KEY, {}).get("locks", 0):
                self[KEY] = there
            super().save()
