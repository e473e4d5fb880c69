from django.apps import AppConfig


class ClinicJourneyConfig(AppConfig):
    """The project itself as an app: its system checks and its commands."""

    name = "clinic_journey"
    verbose_name = "Clinic Journey"

    def ready(self) -> None:
        from clinic_journey import checks  # noqa: F401, PLC0415 - app ready
