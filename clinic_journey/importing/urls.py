from django.urls import path

from clinic_journey.importing import views

urlpatterns = [
    path("", views.imports, name="imports"),
    path("<uuid:import_id>/", views.one_import, name="import"),
    path("<uuid:import_id>/columns/", views.columns, name="import_columns"),
    path("<uuid:import_id>/decide/", views.decide, name="import_decide"),
    path("<uuid:import_id>/undo/", views.undo, name="import_undo"),
    path("<uuid:import_id>/remove/", views.throw_away, name="import_remove"),
    path("<uuid:import_id>/left-out.csv", views.rejected_rows, name="import_left_out"),
]
