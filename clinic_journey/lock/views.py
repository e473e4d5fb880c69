"""The locked screen, the login that may come in its place, and the page where one sets the PIN."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext
from django.views import i18n
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from clinic_journey import own_language
from clinic_journey.audit import middleware as trail
from clinic_journey.lock import actions, desk
from clinic_journey.lock.forms import PinForm, plain
from clinic_journey.lock.kept_words import shown
from clinic_journey.lock.middleware import came_from, ours
from clinic_journey.lock.models import TRIES

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


def logged_in(request: HttpRequest, user: User, **_more: Any) -> None:
    """Django's signal after each login."""
    desk.begin(request.session, user, now=timezone.now())
    actions.forgive(user)


class Login(LoginView):
    """Also from a locked screen: then it opens where this user stopped, and keeps the others known."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.redirect_authenticated_user = not desk.is_locked(request.session, now=timezone.now())
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def form_valid(self, form: Any) -> HttpResponse:
        staff = desk.state(self.request.session)["staff"]
        before = self.request.user.pk
        answer = super().form_valid(form)
        user = form.get_user()
        desk.bring(self.request.session, staff)
        if before != user.pk:
            _drop_messages(self.request)
        return own_language.speak(_where_they_were(self.request, user) or answer, user)


@never_cache
@require_http_methods(["GET", "POST"])
def lock(request: HttpRequest) -> HttpResponse:
    """POST covers the screen; GET shows it covered."""
    if not request.user.is_authenticated:
        return redirect("login")
    if request.method == "POST":
        spot = ours(request, request.POST.get("spot", "")) or came_from(request)
        desk.lock(request.session, request.user, spot=spot)
        return redirect("lock")
    if not desk.is_locked(request.session, now=timezone.now()):
        return redirect("home")
    return _page(request, _who(request, request.GET.get("who", "")))


def _who(request: HttpRequest, asked: str) -> User:
    """One of those who logged in here, else the one who locked."""
    known = {str(user.pk): user for user in _staff(request)}
    assert request.user.is_authenticated  # noqa: S101 - the views look first
    return known.get(asked, request.user)


def _staff(request: HttpRequest) -> list[User]:
    """Those who logged in at this desk by a password that still holds."""
    hashes = desk.may_open(request.session, now=timezone.now())
    found = User.objects.filter(pk__in=hashes, is_active=True).order_by("first_name", "username")
    return [user for user in found if user.get_session_auth_hash() == hashes[user.pk]]


def _page(request: HttpRequest, who: User, *, wrong: str = "") -> HttpResponse:
    context = {
        "who": who,
        "has_pin": actions.has_pin(who),
        "others": [user for user in _staff(request) if user.pk != who.pk],
        "wrong": wrong,
    }
    return render(request, "lock/locked.html", context, status=422 if wrong else 200)


@never_cache
@require_POST
def unlock(request: HttpRequest) -> HttpResponse:
    """A right key opens where this user stopped; after five wrong ones the session ends."""
    if not request.user.is_authenticated:
        return redirect("login")
    if not desk.is_locked(request.session, now=timezone.now()):
        return redirect("home")
    who = _who(request, request.POST.get("who", ""))
    key = request.POST.get("key", "")
    if not actions.fits(who, plain(key) if actions.has_pin(who) else key):
        return _wrong(request, who)
    _open(request, who)
    back = _where_they_were(request, who, in_this_tab=request.POST.get("spot", ""))
    return own_language.speak(back or redirect("home"), who)


def _where_they_were(request: HttpRequest, user: User, *, in_this_tab: str = "") -> HttpResponse | None:
    spot = desk.take_back(request.session, user, "spot")
    if desk.place_of(request.session, user).get("sent"):
        return redirect("kept")
    address = ours(request, in_this_tab) or spot
    return HttpResponseRedirect(address) if address else None


def _wrong(request: HttpRequest, who: User) -> HttpResponse:
    trail.login_failed({"username": who.get_username()}, request)
    left = actions.tries_left(who)
    if not left:
        logout(request)
        messages.error(request, _("Five wrong tries. Log in with the password."))
        return redirect("login")
    said = ngettext("Wrong. %(left)s try left.", "Wrong. %(left)s tries left.", left) % {"left": left}
    return _page(request, who, wrong=said)


def _open(request: HttpRequest, who: User) -> None:
    staff = desk.state(request.session)["staff"]
    if who.pk == request.user.pk:
        staff = {str(who.pk): {"since": timezone.now().timestamp()}, **staff}
        trail.logged_in(request, who)
    else:
        _drop_messages(request)
        login(request, who, backend=MODEL_BACKEND)
    desk.resume(request.session, who, staff, now=timezone.now())


def _drop_messages(request: HttpRequest) -> None:
    """What one was about to be told may name a patient, and is nothing to the next."""
    list(messages.get_messages(request))


def set_language(request: HttpRequest) -> HttpResponse:
    """Django's own view; what is chosen at an open desk is kept with the user, on a locked one it may be anybody."""
    if isinstance(request.user, User) and not desk.is_locked(request.session, now=timezone.now()):
        own_language.keep(request.user, request.POST.get("language", ""))
    return i18n.set_language(request)


@require_POST
@login_required
def still_here(_request: HttpRequest) -> HttpResponse:
    """Somebody types on a page that asks nothing of the server; the middleware has noted it."""
    return HttpResponse(status=204)


@require_http_methods(["GET", "POST"])
@login_required
def kept(request: HttpRequest) -> HttpResponse:
    """Without scripts: a form that met a locked screen, to be sent again or dropped."""
    assert request.user.is_authenticated  # noqa: S101 - login_required
    if request.method == "POST":
        desk.take_back(request.session, request.user, "sent")
        return redirect("home")
    sent = desk.place_of(request.session, request.user).get("sent")
    if not sent:
        return redirect("home")
    return render(request, "lock/kept.html", {"sent": sent, "shown": shown(sent["fields"])})


@require_http_methods(["GET", "POST"])
@login_required
def pin(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    form = PinForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        actions.set_pin(request.user, form.cleaned_data["pin"])
        messages.success(request, _("Saved. From now on your PIN opens the locked screen."))
        return redirect("pin")
    context = {"form": form, "has_pin": actions.has_pin(request.user), "tries": TRIES}
    return render(request, "lock/pin.html", context, status=422 if form.errors else 200)
