from django.urls import path

from patients import views

app_name = "patients"
urlpatterns = [
    path("", views.patient_list, name="list"),
    path("new/", views.patient_new, name="new"),
    path("clinic/", views.choose_clinic, name="choose_clinic"),
    path("<uuid:patient_id>/card/", views.save_card, name="save_card"),
]
