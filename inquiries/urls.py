from django.urls import path

from inquiries import views

urlpatterns = [
    path("offerings/", views.offering_list, name="offerings"),
    path("offerings/<int:offering_id>/", views.offering, name="offering"),
    path("offerings/<int:offering_id>/looked/", views.looked, name="offering_looked"),
    path("offerings/<int:offering_id>/batch/", views.batch, name="offering_batch"),
]
