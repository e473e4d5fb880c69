"""The language that each user has chosen: kept with her, and spoken wherever she logs in or unlocks a shared desk.

Django's cookie says which one this browser speaks now; whoever has chosen none reads on in it.
"""

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse

from clinic_journey.models import OwnLanguage
from patients.models import Language


def keep(user: User, language: str) -> None:
    if language in Language.values:
        OwnLanguage.objects.update_or_create(user=user, defaults={"language": language})


def speak(answer: HttpResponse, user: User) -> HttpResponse:
    """From the next page on this browser speaks the language of this user."""
    own = OwnLanguage.objects.filter(user=user).first()
    if own:
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            own.language,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            path=settings.LANGUAGE_COOKIE_PATH,
            domain=settings.LANGUAGE_COOKIE_DOMAIN,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite=settings.LANGUAGE_COOKIE_SAMESITE,
        )
    return answer
