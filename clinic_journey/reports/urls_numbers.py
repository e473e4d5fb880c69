"""The routes of numbers, standards and the managers' day."""

from django.urls import path

from clinic_journey.reports import digest_views, numbers_views, reach_views, standards_views

urlpatterns = [
    path("reports/", numbers_views.reports, name="reports"),
    path("reports/names/", numbers_views.names, name="report_names"),
    path("reports/value/", numbers_views.visit_value, name="visit_value"),
    path("reports/digest/", digest_views.digest, name="digest"),
    path("reports/alerts/", digest_views.alerts, name="report_alerts"),
    path("reports/reach/", reach_views.reach, name="reach_times"),
    path("reports/standards/", standards_views.standards, name="standards"),
    path("reports/standards/<int:standard_id>/", standards_views.standard, name="standard"),
]
