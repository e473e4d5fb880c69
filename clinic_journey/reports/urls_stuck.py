"""The addresses of the map, its names, its files and what is undertaken about a gap."""

from django.urls import path

from clinic_journey.reports import export, export_names, improvements, stuck, stuck_names, weekly

urlpatterns = [
    path("reports/stuck/", stuck.stuck, name="stuck"),
    path("reports/stuck/names/", stuck_names.names, name="stuck_names"),
    path("reports/stuck/export/", export.export, name="stuck_export"),
    path("reports/stuck/week/", weekly.week, name="stuck_week"),
    path("reports/stuck/names/export/", export_names.export_names, name="stuck_names_export"),
    path("reports/stuck/ideas/", improvements.ideas, name="stuck_ideas"),
    path("reports/stuck/ideas/<int:idea_id>/end/", improvements.end_idea, name="stuck_idea_end"),
]
