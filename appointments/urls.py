from django.urls import path

from appointments import booking, views

urlpatterns = [
    path("calendar/", views.calendar, name="calendar"),
    path("appointments/<uuid:appointment_id>/", views.appointment, name="appointment"),
    path("appointments/<uuid:appointment_id>/move/", booking.appointment_move, name="appointment_move"),
    path(
        "appointments/<uuid:appointment_id>/let-go/",
        booking.appointment_let_go,
        name="appointment_let_go",
    ),
    path("appointments/<uuid:appointment_id>/act/", views.appointment_act, name="appointment_act"),
    path("patients/<uuid:patient_id>/book/", booking.book_visit, name="book_visit"),
]
