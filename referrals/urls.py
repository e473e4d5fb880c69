from django.urls import path

from referrals import views

urlpatterns = [
    path("documents/<uuid:document_id>/match/", views.match, name="match"),
    path("documents/<uuid:document_id>/reject/", views.reject, name="reject"),
    path("files/<int:file_id>/", views.file, name="file"),
    path("files/<int:file_id>/image/", views.image, name="image"),
    path("patients/<uuid:patient_id>/refer/", views.refer, name="refer"),
    path("referrals/refused-holds/", views.refused_holds, name="refused_holds"),
    path("referrals/<uuid:referral_id>/", views.referral, name="referral"),
    path("referrals/<uuid:referral_id>/revoke/", views.revoke, name="revoke"),
    path("u/<str:token>/", views.upload, name="upload"),
]
