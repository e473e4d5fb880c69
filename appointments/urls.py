from django.urls import path

from appointments import booking, pictures, setup, views

urlpatterns = [
    path("calendar/", views.calendar, name="calendar"),
    path("calendar/taken/", views.calendar_taken, name="calendar_taken"),
    path("calendar/week/", pictures.calendar_week, name="calendar_week"),
    path("calendar/feed/", pictures.calendar_feed, name="calendar_feed"),
    path("calendar/print/", pictures.calendar_print, name="calendar_print"),
    path("appointments/<uuid:appointment_id>/", views.appointment, name="appointment"),
    path(
        "appointments/<uuid:appointment_id>/let-go/",
        booking.appointment_let_go,
        name="appointment_let_go",
    ),
    path("schedules/", setup.schedule_list, name="schedules"),
    path("schedules/<int:practitioner_id>/hours/", setup.schedule_hours, name="schedule_hours"),
    path("schedules/<int:practitioner_id>/exceptions/", setup.schedule_exception, name="schedule_exception"),
    path("schedules/hours/<int:schedule_id>/end/", setup.schedule_end, name="schedule_end"),
    path("schedules/exceptions/<int:exception_id>/remove/", setup.exception_remove, name="exception_remove"),
    path("visit-types/", setup.visit_type_list, name="visit_types"),
    path("visit-types/<int:visit_type_id>/", setup.visit_type, name="visit_type"),
]
