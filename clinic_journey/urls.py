"""The routes of all apps on one page."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from clinic_journey import (
    addresses,
    automated_calls,
    call_by_hand,
    caller,
    cards,
    channels_page,
    complaints,
    health,
    home,
    inbox,
    inquiry_page,
    ledger_page,
    message_trace,
    messenger_link,
    neglected_page,
    offered_page,
    offerings_file,
    own_complaint,
    own_keys,
    page_changed,
    patient_calendar,
    patient_card,
    patient_door,
    patient_matters,
    patient_page,
    patient_record,
    patient_waiting,
    pause,
    records,
    results_screen,
    routine_page,
    silent,
    silent_together,
    team_page,
    today,
    today_page,
    visit_saves,
    waiting,
)
from clinic_journey.api import router
from clinic_journey.audit import views as audit_views
from clinic_journey.full_copy import views as full_copy
from clinic_journey.lock import views as lock_views
from outreach import views as calls_by_machine
from outreach.channels.hooks import HOOKS
from outreach.webhooks import hook
from patients import urls as patients_urls

handler500 = "clinic_journey.away.broke"
urlpatterns = [
    path("", home.home, name="home"),
    path("today/", today_page.today, name="today"),
    path("today/<uuid:step_id>/panel/", today_page.panel, name="today_panel"),
    path("today/<uuid:step_id>/call/", today.call, name="call"),
    path("today/<uuid:step_id>/outcome/", today.outcome, name="outcome"),
    path("today/<uuid:step_id>/finish/", today.finish, name="finish"),
    path("today/<uuid:step_id>/park/", today.park, name="park"),
    path("today/<uuid:step_id>/keep/", today.keep, name="keep"),
    path("today/pause/", pause.pause, name="today_pause"),
    path("today/live/", today_page.live, name="today_live"),
    path("today/undo/<int:action_id>/", today.undo, name="undo"),
    path("waiting/", waiting.waiting_list, name="waiting"),
    path("waiting/time/", waiting.offer_time, name="offer_time"),
    path("waiting/offers/<uuid:offer_id>/", waiting.offer_answer, name="offer_answer"),
    path("waiting/<uuid:entry_id>/leave/", waiting.leave_list, name="leave_list"),
    path("patients/<uuid:patient_id>/wait/", waiting.wait, name="wait"),
    path("results/", results_screen.results, name="results"),
    path("results/fresh/", results_screen.fresh, name="results_fresh"),
    path("results/undo/<int:action_id>/", results_screen.undo_decision, name="undo_decision"),
    path("results/<uuid:result_id>/decide/", results_screen.decide, name="decide"),
    path("results/<uuid:result_id>/follows/", results_screen.follows, name="follows"),
    path("results/<uuid:result_id>/times/", results_screen.other_times, name="other_times"),
    path("results/<uuid:result_id>/pass/", results_screen.pass_on, name="pass_on"),
    path("results/<uuid:result_id>/ask-again/", results_screen.ask_again, name="ask_again"),
    path("results/passes/<uuid:pass_id>/", results_screen.answer_pass, name="answer_pass"),
    path("referrals/<uuid:referral_id>/chase/", results_screen.chase, name="chase"),
    path("search/", home.search, name="search"),
    path("caller/", caller.matches, name="matches"),
    path("caller/<uuid:patient_id>/", caller.card, name="caller"),
    path("caller/<uuid:patient_id>/chased/", caller.chased, name="caller_chased"),
    path("caller/<uuid:patient_id>/promise/", caller.promise, name="caller_promise"),
    path("silent/", silent.silent_list, name="silent"),
    *silent_together.urlpatterns,
    path("silent/<uuid:task_id>/", silent.silent_patient, name="silent_patient"),
    path("silent/<uuid:task_id>/replan/", silent.silent_replan, name="silent_replan"),
    path("silent/<uuid:task_id>/number/", silent.silent_number, name="silent_number"),
    path("silent/<uuid:task_id>/close/", silent.silent_close, name="silent_close"),
    path("reports/ledgers/", ledger_page.ledgers, name="ledgers"),
    path("reports/", include("clinic_journey.reports.urls")),
    *inbox.urlpatterns,
    *complaints.urlpatterns,
    *own_complaint.urlpatterns,
    *neglected_page.urlpatterns,
    *offerings_file.urlpatterns,
    *team_page.urlpatterns,
    *routine_page.urlpatterns,
    *inquiry_page.urlpatterns,
    *channels_page.urlpatterns,
    *messenger_link.urlpatterns,
    *message_trace.urlpatterns,
    path("patients/<uuid:patient_id>/", patient_record.patient, name="patient"),
    *records.urlpatterns,
    *full_copy.urlpatterns,
    path(
        "patients/<uuid:patient_id>/keep/<uuid:journey_id>/",
        patient_record.keep_from_parents,
        name="keep_from_parents",
    ),
    path(
        "patients/<uuid:patient_id>/tell/<uuid:journey_id>/", patient_record.tell_parents, name="tell_parents"
    ),
    path("patients/<uuid:patient_id>/start/", patient_record.start, name="start_journey"),
    *addresses.urlpatterns,
    *automated_calls.urlpatterns,
    *call_by_hand.urlpatterns,
    path("patients/", include(([*cards.urlpatterns, *patients_urls.urlpatterns], "patients"))),
    *page_changed.urlpatterns,
    *visit_saves.urlpatterns,
    path("", include("appointments.urls")),
    path("", include("referrals.urls")),
    path("", include("inquiries.urls")),
    path("audit/", audit_views.trail, name="audit"),
    path("audit/export/", audit_views.export, name="audit_export"),
    path("import/", include("clinic_journey.importing.urls")),
    path("setup/", include("clinic_journey.setup.urls")),
    path("p/<uuid:journey_id>/", patient_page.page, name="patient_page"),
    path("p/<uuid:journey_id>/answer/", patient_page.answer, name="patient_answer"),
    path("p/<uuid:journey_id>/who/", patient_page.identify, name="patient_identify"),
    path("p/<uuid:journey_id>/not-me/", patient_page.not_me, name="patient_not_me"),
    path("p/<uuid:journey_id>/offer/", patient_waiting.offer, name="patient_offer"),
    path("p/<uuid:journey_id>/sooner/", patient_waiting.sooner, name="patient_sooner"),
    path("p/<uuid:journey_id>/say/", patient_matters.say, name="patient_say"),
    path("p/<uuid:journey_id>/card/", patient_card.card, name="patient_card"),
    path("p/<uuid:journey_id>/visit.ics", patient_calendar.visit_file, name="patient_visit_file"),
    path("p/<str:token>/", patient_door.enter, name="patient_link"),
    path("offered/<slug:clinic>/", offered_page.offered, name="offered"),
    *(
        path(f"hooks/{provider}/", hook, {"provider": provider}, name=f"hook_{provider}")
        for provider in HOOKS
    ),
    path("hooks/voice/answered/", calls_by_machine.answered, name="hook_voice_answered"),
    path("hooks/voice/key/", calls_by_machine.key, name="hook_voice_key"),
    path("login/", lock_views.Login.as_view(), name="login"),
    path("", include("clinic_journey.lock.urls")),
    path("desk/keys/", own_keys.keys, name="keys"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("i18n/setlang/", lock_views.set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("api/v1/", include(router.urls)),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api"),
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
]

if settings.DEMO:
    from clinic_journey.demo.urls import urlpatterns as demo_urls

    urlpatterns += [path("demo/", include(demo_urls))]
