from django.urls import path

from clinic_journey.lock import views

urlpatterns = [
    path("lock/", views.lock, name="lock"),
    path("lock/open/", views.unlock, name="unlock"),
    path("desk/here/", views.still_here, name="still_here"),
    path("desk/kept/", views.kept, name="kept"),
    path("desk/pin/", views.pin, name="pin"),
]
