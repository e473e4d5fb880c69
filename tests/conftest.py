"""One fixed instant for every test, fast hashing, and files that vanish. Time is passed in, never patched."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import connection
from django.utils import translation
from hypothesis import settings as hypothesis_settings
from pytest_django.plugin import DjangoDbBlocker

hypothesis_settings.register_profile("untimed", deadline=None)  # how fast a machine is proves nothing
hypothesis_settings.load_profile("untimed")

# Monday 9 March 2026, 10:00 in Jerusalem (winter time, UTC+2): an ordinary working morning.
NOW = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """A test's rows are in no committed state that autovacuum could see.

    It would note that the tables are empty, and the planner would take a join of two hundred rows for one of none.
    """
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                for table in connection.introspection.table_names(cursor):
                    cursor.execute(
                        f"ALTER TABLE {connection.ops.quote_name(table)} SET (autovacuum_enabled = off)"
                    )


@pytest.fixture(autouse=True)
def _quick_and_clean(settings: LazySettings, tmp_path: Path) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_USE_FINDERS = (
        False  # each client would look through static/, and no test asks for its files
    )
    cache.clear()  # it counts wrong callers
    translation.deactivate()  # a page of the test before may have been read in Hebrew
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MAILBOX_MAILDIR = tmp_path / "inbox"
    settings.CHANNEL_TRANSPORTS = {
        "phone": "phone",
        "sms": "console",
        "whatsapp": "console",
        "email": "console",
    }


@pytest.fixture
def inbox(settings: LazySettings) -> Path:
    """The clinic's mailbox as a folder, empty."""
    folder = Path(settings.MAILBOX_MAILDIR)
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    return folder


def need(available: object, what: str) -> None:
    """Skip, saying so, where a service is missing; fail where CI demands it (REQUIRE_SERVICES=1)."""
    if available:
        return
    if os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(f"{what} is required here (REQUIRE_SERVICES=1) but missing.")
    pytest.skip(f"{what} is not installed; this part is shown in CI.")


@pytest.hookimpl(optionalhook=True)  # of xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The tests that drive a browser share one server, so one worker has them all, and begins with them; the others
    share the rest one by one.
    """
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # noqa: PLC0415 - optional dependency

    class BrowserTogether(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if nodeid.startswith("tests/browser/") else nodeid

    return BrowserTogether(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Emptying the tables after a test takes the audit trail along, which nothing else may."""
    from patients import audit  # noqa: PLC0415 - app ready

    with audit.open_door():
        yield
