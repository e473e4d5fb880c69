"""What is done with visits in the calendar and in booking, each with its way back, as in Today.

The screens are those of `appointments`, which knows nobody above it: the route hands them how a save is kept.
"""

from django.urls import path

from appointments import booking, pictures, views
from clinic_journey.desk import save_visit

KEPT = {"save": save_visit}

urlpatterns = [
    path("appointments/<uuid:appointment_id>/act/", views.appointment_act, KEPT, name="appointment_act"),
    path("appointments/<uuid:appointment_id>/move/", booking.appointment_move, KEPT, name="appointment_move"),
    path(
        "appointments/<uuid:appointment_id>/drop/", pictures.appointment_drop, KEPT, name="appointment_drop"
    ),
    path("patients/<uuid:patient_id>/book/", booking.book_visit, KEPT, name="book_visit"),
]
