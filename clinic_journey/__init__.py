"""The project. Importing it makes the Celery app the default for every task."""

from clinic_journey.celery import app as celery_app

__all__ = ["celery_app"]
