"""The Celery shell of sessions."""

from celery import shared_task

from clinic_journey.lock.sessions import SessionStore


@shared_task
def forget_sessions() -> None:
    """One that has ended may hold a form that met a locked screen, with a patient's name in it."""
    SessionStore.clear_expired()
