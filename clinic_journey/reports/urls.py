"""The routes of the reports: numbers, standards, the managers' day, and where patients get stuck."""

from django.urls import path

from clinic_journey.reports import (
    digest_views,
    export,
    export_names,
    export_pages,
    improvements_views,
    numbers_views,
    questions_views,
    reach_views,
    standards_views,
    stuck,
    stuck_names,
    weekly,
)

urlpatterns = [
    path("", numbers_views.reports, name="reports"),
    path("names/", numbers_views.names, name="report_names"),
    path("export/", export_pages.export_page, name="report_export"),
    path("value/", numbers_views.visit_value, name="visit_value"),
    path("digest/", digest_views.digest, name="digest"),
    path("alerts/", digest_views.alerts, name="report_alerts"),
    path("reach/", reach_views.reach, name="reach_times"),
    path("questions/", questions_views.questions, name="report_questions"),
    path("standards/", standards_views.standards, name="standards"),
    path("standards/own/", standards_views.own_standard, name="own_standard"),
    path("standards/<int:standard_id>/", standards_views.standard, name="standard"),
    path("stuck/", stuck.stuck, name="stuck"),
    path("stuck/names/", stuck_names.names, name="stuck_names"),
    path("stuck/names/export/", export_names.export_names, name="stuck_names_export"),
    path("stuck/export/", export.export, name="stuck_export"),
    path("stuck/week/", weekly.week, name="stuck_week"),
    path("stuck/ideas/", improvements_views.ideas, name="stuck_ideas"),
    path("stuck/ideas/<int:idea_id>/end/", improvements_views.end_idea, name="stuck_idea_end"),
]
