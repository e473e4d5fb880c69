"""Patients and visits from another program's table: stored, mapped, checked, imported, and undone."""
