"""The Celery app and the whole clockwork on one page.

Each tick finds its work in the database; a lost message costs one interval and nothing else. `expires`
keeps a stopped worker from finding a pile of stale ticks.
"""

import gc
import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_journey.settings")

app = Celery("clinic_journey")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["clinic_journey.importing", "clinic_journey.lock", "clinic_journey.reports"])


@worker_ready.connect
def keep_what_is_loaded(**_about: object) -> None:
    """The code stays as long as the worker: Python need not look through it for garbage again and again."""
    gc.collect()
    gc.freeze()


def every(seconds: float, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app.conf.beat_schedule = {
    "fetch mail": every(15, "referrals.tasks.fetch_mail"),
    "match documents": every(5, "referrals.tasks.match_documents"),
    "watch steps": every(60, "journeys.tasks.watch_steps"),
    "settle holds": every(60, "appointments.tasks.settle_holds"),
    "offer freed times": every(15, "appointments.tasks.offer_openings"),
    "open outreach tasks": every(15, "outreach.tasks.open_tasks"),
    "plan attempts": every(5, "outreach.tasks.plan_attempts"),
    "recover leases": every(30, "outreach.tasks.recover"),
    "dispatch": every(5, "outreach.tasks.dispatch"),
    "send answers": every(5, "inquiries.tasks.send_answers"),
    "hear providers": every(5, "outreach.tasks.work_events"),
    "fetch files": every(5, "outreach.tasks.fetch_files"),
    "hear of answers": every(5, "inquiries.tasks.hear"),
    "go on importing": every(5, "clinic_journey.importing.tasks.go_on_importing"),
    "hear letters": every(5, "outreach.tasks.hear_letters"),
    "count stages": every(3600, "clinic_journey.reports.tasks.count_stages"),
    "send weekly reports": every(1800, "clinic_journey.reports.tasks.send_weekly_reports"),
    "send digests": every(300, "clinic_journey.reports.tasks.send_digests"),
    "close records": {"task": "outreach.tasks.close_forgotten", "schedule": crontab(hour="0", minute="40")},
    "fill calendars": {"task": "appointments.tasks.fill_slots", "schedule": crontab(hour="1", minute="10")},
    "forget imports": {
        "task": "clinic_journey.importing.tasks.forget_imports",
        "schedule": crontab(hour="2", minute="40"),
    },
    "forget sessions": {
        "task": "clinic_journey.lock.tasks.forget_sessions",
        "schedule": crontab(hour="3", minute="40"),
    },
    "thank for a year": {
        "task": "outreach.tasks.thank_for_a_year",
        "schedule": crontab(hour="3", minute="10"),
    },
    "ask who came of age": {
        "task": "outreach.tasks.ask_who_came_of_age",
        "schedule": crontab(hour="0", minute="50"),
    },
    "count standards": {
        "task": "clinic_journey.reports.tasks.rebuild_standard_days",
        "schedule": crontab(hour="0", minute="20"),
    },
    "prompt recognition": {
        "task": "outreach.tasks.prompt_recognition",
        "schedule": crontab(hour="3", minute="20", day_of_month="28"),
    },
    "load holidays": {"task": "patients.tasks.load_closed_days", "schedule": crontab(hour="2", minute="10")},
}
