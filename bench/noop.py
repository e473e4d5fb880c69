"""The Celery app whose one task does nothing: what a queue alone costs, for bench/dispatch.py."""

import os

from celery import Celery

QUEUE = "bench_noop"
BROKER = os.environ.get("CELERY_BROKER_URL", "redis://127.0.0.1:6379/15")

app = Celery("bench_noop", broker=BROKER)
app.conf.update(task_default_queue=QUEUE, task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task
def nothing() -> None:
    """Nothing."""
