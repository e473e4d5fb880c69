"""What the session of a shared desk knows: when somebody last worked, who logged in here, where each stopped.

It lives in the session, on the server: no cookie names anybody, and ending the session ends all of it.
"""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase

KEY = "desk"
IDLE = timedelta(minutes=5)
NOTED_EVERY = timedelta(
    seconds=15
)  # activity is written this often at most, so a page costs no write of its own
LASTS = timedelta(hours=12)  # how long a login by password counts, however busy the desk is
Place = dict[str, Any]


def state(session: SessionBase) -> dict[str, Any]:
    found: dict[str, Any] = session.get(KEY) or {"active": 0, "locked": False, "staff": {}}
    return found


def _keep(session: SessionBase, **changed: Any) -> None:
    session[KEY] = {**state(session), **changed}


def begin(session: SessionBase, user: User, *, now: datetime) -> None:
    """After a login by password: this desk is this user's, open, for half a day."""
    old = state(session)["staff"].get(str(user.pk), {})
    place = {**old, "since": now.timestamp(), "hash": user.get_session_auth_hash()}
    _keep(
        session, active=now.timestamp(), locked=False, staff={**state(session)["staff"], str(user.pk): place}
    )
    session.set_expiry(now + LASTS)


def bring(session: SessionBase, staff: dict[str, Place]) -> None:
    """A login empties the session of somebody else; who was here before it, and where, stays known."""
    now_here = {key: {**staff.get(key, {}), **place} for key, place in state(session)["staff"].items()}
    _keep(session, staff={**staff, **now_here})


def resume(session: SessionBase, user: User, staff: dict[str, Place], *, now: datetime) -> None:
    """Opened by PIN: the half day still counts from the login by password."""
    _keep(session, active=now.timestamp(), locked=False, staff=staff)
    since = staff[str(user.pk)]["since"] or now.timestamp()
    session.set_expiry(datetime.fromtimestamp(since, now.tzinfo) + LASTS)


def is_locked(session: SessionBase, *, now: datetime) -> bool:
    here = state(session)
    idle_since = here["active"]
    return bool(here["locked"]) or (
        0 < idle_since < (now - IDLE - NOTED_EVERY).timestamp()  # 0: begun before there was a lock
    )


def note_activity(session: SessionBase, *, now: datetime) -> None:
    if abs(now.timestamp() - state(session)["active"]) > NOTED_EVERY.total_seconds():
        _keep(session, active=now.timestamp())


def lock(session: SessionBase, user: User, *, spot: str = "", sent: Place | None = None) -> None:
    """Keep where the user stood and, without scripts, what was being sent; a second lock keeps the first's."""
    here = state(session)  # `locks` counts them: see sessions.py
    staff = here["staff"]
    place = staff.get(str(user.pk), {"since": 0, "hash": user.get_session_auth_hash()})
    place |= {name: value for name, value in (("spot", spot), ("sent", sent)) if value}
    _keep(session, locked=True, locks=here.get("locks", 0) + 1, staff={**staff, str(user.pk): place})


def place_of(session: SessionBase, user: User) -> Place:
    found: Place = state(session)["staff"].get(str(user.pk), {})
    return found


def take_back(session: SessionBase, user: User, name: str) -> Any:
    """What was kept for this user under that name, once."""
    place = dict(place_of(session, user))
    found = place.pop(name, None)
    if found:
        _keep(session, staff={**state(session)["staff"], str(user.pk): place})
    return found


def may_open(session: SessionBase, *, now: datetime) -> dict[int, str]:
    """Who may open this desk by PIN, with the hash of the password that they logged in with here."""
    oldest = (now - LASTS).timestamp()
    return {
        int(key): place["hash"] for key, place in state(session)["staff"].items() if place["since"] > oldest
    }
