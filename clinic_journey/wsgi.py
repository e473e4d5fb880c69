"""The WSGI entry: pages are served by WSGI (docs/decisions)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_journey.settings")
application = get_wsgi_application()
