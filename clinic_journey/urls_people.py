"""The routes of what goes on between people: complaints, thanks, neglect, and the change of shifts."""

from django.urls import URLPattern

from clinic_journey import complaints, neglected_page, offerings_file, own_complaint, team_page

urlpatterns: list[URLPattern] = [
    *complaints.urlpatterns,
    *own_complaint.urlpatterns,
    *neglected_page.urlpatterns,
    *offerings_file.urlpatterns,
    *team_page.urlpatterns,
]
