from django.urls import path

from clinic_journey.setup import content, views, words

urlpatterns = [
    path("", views.setup, name="setup"),
    path("clinic/", views.clinic_step, name="setup_clinic"),
    path("hours/", views.hours_step, name="setup_hours"),
    path("patients/", views.patients_step, name="setup_patients"),
    path("standards/", views.standards_step, name="setup_standards"),
    path("content/", content.content, name="setup_content"),
    path("words/", words.words_list, name="setup_words"),
    path("words/text/", words.words_text, name="setup_words_text"),
]
