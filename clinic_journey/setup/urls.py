from django.urls import path

from clinic_journey.setup import views

urlpatterns = [
    path("", views.setup, name="setup"),
    path("clinic/", views.clinic_step, name="setup_clinic"),
    path("hours/", views.hours_step, name="setup_hours"),
    path("patients/", views.patients_step, name="setup_patients"),
    path("standards/", views.standards_step, name="setup_standards"),
]
