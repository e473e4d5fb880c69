from django.urls import path

from patients import views

# Joined in the project's urls.py by the pages of the service card, which read from the apps above.
urlpatterns = [
    path("", views.patient_list, name="list"),
    path("new/", views.patient_new, name="new"),
    path("<uuid:patient_id>/details/", views.patient_details, name="details"),
    path("clinic/", views.choose_clinic, name="choose_clinic"),
]
