"""What a patient asks, fears or feels, from her own page: written down, with a person, and told when she hears."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from clinic_journey.own_complaint import complain_here
from clinic_journey.patient_door import Visitor, with_page
from outreach.complaints import COMPLAINT
from outreach.matters import ASK, FEELINGS, WORRIED, open_matter, record_feeling
from outreach.praise import THANKS, thank

LONGEST = 1000


@require_POST
@with_page
def say(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Nobody has to say first who she is: it opens nothing to read, and a worry must not meet a door."""
    meaning = request.POST.get("meaning", "")
    words = request.POST.get("body", "").strip()[:LONGEST]
    if meaning in FEELINGS:
        record_feeling(visitor.journey, meaning, words, now=visitor.now)
    elif meaning == THANKS and words:
        thank(visitor.patient, words, request.POST.get("to", ""), now=visitor.now)
    elif meaning == COMPLAINT and words:
        complain_here(visitor, words)
    elif meaning == WORRIED or (meaning == ASK and words):
        open_matter(visitor.journey, meaning, words, now=visitor.now)
    else:
        return visitor.back()
    return visitor.back(meaning)
