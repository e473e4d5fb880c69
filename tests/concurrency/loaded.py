"""What tests.concurrency.children loads once: the product, set up as a worker has it, and no connection."""

import os

import django

os.environ |= {"DJANGO_SETTINGS_MODULE": "clinic_journey.settings"}
os.environ |= {"LOG_LEVEL": "CRITICAL", "CHANNEL_SMS": "console"}
django.setup()

from outreach import dispatch  # noqa: E402, F401
from tests.concurrency import crashing, sending  # noqa: E402, F401
