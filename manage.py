#!/usr/bin/env python3
"""Django's command line for Clinic Journey."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_journey.settings")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415 - optional dependency
    except ImportError:
        sys.exit("Django is not installed for this Python. Run `make setup`, then use .venv/bin/python.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
