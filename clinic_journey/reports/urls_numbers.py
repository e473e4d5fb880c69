"""The routes of numbers, standards and the managers' day."""

from django.urls import path

from clinic_journey.reports import standards_views

urlpatterns = [
    path("reports/standards/", standards_views.standards, name="standards"),
    path("reports/standards/<int:standard_id>/", standards_views.standard, name="standard"),
]
