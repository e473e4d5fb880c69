"""What the clinic offers and how much is there: managers say what, everybody at the desk counts."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from inquiries import on_offer
from inquiries.forms import BatchForm, OfferingForm
from inquiries.models import Offering
from inquiries.queries import answer_about, offerings_visible_to
from patients.access import Here, for_staff
from patients.models import MANAGERS


@require_http_methods(["GET", "POST"])
@for_staff()
def offering_list(request: HttpRequest, here: Here) -> HttpResponse:
    """All of it, and for managers a form for one more."""
    return _page(request, here, Offering(clinic=here.clinic))


@require_http_methods(["GET", "POST"])
@for_staff()
def offering(request: HttpRequest, here: Here, offering_id: int) -> HttpResponse:
    return _page(request, here, _offering(here, offering_id))


def _offering(here: Here, offering_id: int) -> Offering:
    return get_object_or_404(offerings_visible_to(here.user).filter(clinic=here.clinic), pk=offering_id)


def _page(
    request: HttpRequest, here: Here, chosen: Offering, batch_form: BatchForm | None = None
) -> HttpResponse:
    may_change = here.role in MANAGERS
    saves = request.method == "POST" and batch_form is None
    if saves and not may_change:
        raise PermissionDenied
    form = OfferingForm(request.POST if saves else None, clinic=here.clinic, instance=chosen)
    if saves and form.is_valid():
        saved = _saved(form, here)
        messages.success(request, _("Saved. The next caller is told so."))
        return redirect("offering", saved.pk)
    offered = offerings_visible_to(here.user).filter(clinic=here.clinic).order_by("-is_active", "pk")
    context = {
        "answers": [answer_about(each, here.clinic, now=here.now) for each in offered],
        "chosen": chosen,
        "form": form if may_change else None,
        "batch_form": batch_form or BatchForm(),
        "today": here.now,
        "section": "ask",
    }
    return render(
        request, "inquiries/offerings.html", context, status=422 if request.method == "POST" else 200
    )


@transaction.atomic
def _saved(form: OfferingForm, here: Here) -> Offering:
    form.instance.looked_at = here.now
    saved: Offering = form.save()
    on_offer.set_walk_in(saved, form.week())
    return saved


@require_POST
@for_staff()
def looked(request: HttpRequest, here: Here, offering_id: int) -> HttpResponse:
    """Whoever is at the desk has looked: it still costs that."""
    chosen = _offering(here, offering_id)
    on_offer.still_so(chosen, now=here.now)
    messages.success(request, _("Noted. It counts as looked at from today."))
    return redirect("offering", chosen.pk)


@require_POST
@for_staff()
def batch(request: HttpRequest, here: Here, offering_id: int) -> HttpResponse:
    """One batch as it was counted now; a new number is a new batch."""
    chosen = _offering(here, offering_id)
    form = BatchForm(request.POST)
    if not form.is_valid():
        return _page(request, here, chosen, form)
    counted = form.cleaned_data
    on_offer.set_batch(
        chosen,
        counted["number"],
        quantity=counted["quantity"],
        expires_on=counted["expires_on"],
        now=here.now,
    )
    messages.success(request, _("Counted. The next caller is told so."))
    return redirect("offering", chosen.pk)
