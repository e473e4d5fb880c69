from django.urls import path

from clinic_journey.demo import views

urlpatterns = [
    path("", views.phones, name="demo"),
    path("deliver/<str:code>/", views.deliver, name="demo_deliver"),
]
