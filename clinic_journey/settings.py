"""Settings, from the environment only. With nothing set, everything runs on this one machine.

See docs/operations.md for the list of variables with their meaning.
"""

import secrets
from pathlib import Path
from typing import Any

import environ
from csp.constants import SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
for folder in ("broker/queue", "broker/processed", "broker/control", "inbox", "media"):
    (VAR_DIR / folder).mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)


def _secret_key() -> str:
    """The key from the environment, or one made once for this machine and kept beside its data."""
    key = str(env.str("SECRET_KEY", default=""))
    if key:
        return key
    kept = VAR_DIR / "secret_key"
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(50))
    return kept.read_text().strip()


SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
if not PUBLIC_URL.startswith(("http://", "https://")):
    message = (
        f"PUBLIC_URL is {PUBLIC_URL!r}; it must start with http:// or https://, as patients will open it."
    )
    raise ImproperlyConfigured(message)

INSTALLED_APPS = [
    "clinic_journey.apps.ClinicJourneyConfig",
    "patients",
    "journeys",
    "appointments",
    "referrals",
    "outreach",
    "inquiries",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "phonenumber_field",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "clinic_journey.nul.refuse_nul",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "clinic_journey.audit.middleware.trail",
    "clinic_journey.lock.middleware.IdleLock",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "clinic_journey.keeps_trying.say_where",
]

ROOT_URLCONF = "clinic_journey.urls"
WSGI_APPLICATION = "clinic_journey.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic_journey.language.context",
                "patients.access.context",
                "clinic_journey.channels_page.context",
                "clinic_journey.bar.context",
                "clinic_journey.own_keys.context",
            ],
        },
    }
]


def _database() -> dict[str, Any]:
    """PostgreSQL where DATABASE_URL says so, else SQLite in the only mode that is safe with many workers.

    IMMEDIATE takes the write lock at BEGIN (house.md 9); without it concurrent workers die with
    "database is locked". clinic_journey.checks refuses to start without it.
    """
    database: dict[str, Any] = dict(
        env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'clinic.sqlite3'}")
    )
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000",
        }
        database["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
    else:
        database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
        database["CONN_HEALTH_CHECKS"] = True
    return database


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("he", _("Hebrew")), ("ru", _("Russian")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH: list[str] = []

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # without a collectstatic step the files are served from static/ itself
if env.bool("STATIC_MANIFEST", default=False):  # set where `collectstatic` runs, as in the Dockerfile
    STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

_https = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=_https)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if _https else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# How many proxies of ours stand in front: the caller's address is read that far from the end of
# X-Forwarded-For. With 0 the header is not read at all, as anybody may write it.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "clinic_journey.lock.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
    }
}

PHONENUMBER_DEFAULT_REGION = env.str("PHONE_REGION", default="IL")
PHONENUMBER_DEFAULT_FORMAT = "E164"

# --- Celery: the broker carries pokes, the database the work (house.md 4) ---------------------------
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"visibility_timeout": 300}
if CELERY_BROKER_URL.startswith("filesystem"):
    CELERY_BROKER_TRANSPORT = "clinic_journey.broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(VAR_DIR / "broker/queue"),
        "data_folder_out": str(VAR_DIR / "broker/queue"),
        "processed_folder": str(VAR_DIR / "broker/processed"),
        "control_folder": str(VAR_DIR / "broker/control"),
        "store_processed": False,
        "polling_interval": 0.2,
    }
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")

# --- Incoming mail: an IMAP server, or the Maildir folder var/inbox -----------------------------------
MAILBOX_URL = env.str("MAILBOX_URL", default="")  # imaps://user:password@host:993/INBOX
MAILBOX_MAILDIR = VAR_DIR / "inbox"
MAX_ATTACHMENT_BYTES = env.int("MAX_ATTACHMENT_BYTES", default=25 * 1024 * 1024)
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- Outgoing: which transport carries each channel a patient may choose. "off" is never planned. -----
# Accounts with providers; with any key of a channel missing, that channel is off and says so.
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
TWILIO_FROM = env.str(
    "TWILIO_FROM", default=""
)  # a number, a registered name, or a messaging service (MG...)
TWILIO_VOICE_FROM = env.str("TWILIO_VOICE_FROM", default="")  # the number that automated calls come from
TWILIO_API_URL = env.str("TWILIO_API_URL", default="")
WHATSAPP_PHONE_ID = env.str("WHATSAPP_PHONE_ID", default="")
WHATSAPP_TOKEN = env.str("WHATSAPP_TOKEN", default="")
WHATSAPP_APP_SECRET = env.str("WHATSAPP_APP_SECRET", default="")
WHATSAPP_VERIFY_TOKEN = env.str("WHATSAPP_VERIFY_TOKEN", default="")
WHATSAPP_API_URL = env.str("WHATSAPP_API_URL", default="https://graph.facebook.com/v23.0").rstrip("/")
TELEGRAM_BOT_TOKEN = env.str("TELEGRAM_BOT_TOKEN", default="")
TELEGRAM_BOT_NAME = env.str("TELEGRAM_BOT_NAME", default="")
TELEGRAM_WEBHOOK_SECRET = env.str("TELEGRAM_WEBHOOK_SECRET", default="")
TELEGRAM_API_URL = env.str("TELEGRAM_API_URL", default="https://api.telegram.org").rstrip("/")
WEBHOOK_SECRETS_OLD = env.list("WEBHOOK_SECRETS_OLD", default=[])  # still accepted while secrets are changed
EMAIL_URL = env.str("EMAIL_URL", default="").rpartition("@")[
    2
]  # without its password: only whether it is set
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 20
# A provider with an API and receipts, by its name in django-anymail: EMAIL_PROVIDER=mailgun, with its own settings
# as JSON: ANYMAIL={"MAILGUN_API_KEY": "..."}. Its receipts come with a name and password that we chose.
EMAIL_PROVIDER = env.str("EMAIL_PROVIDER", default="")
EMAIL_WEBHOOK_SECRET = env.str("EMAIL_WEBHOOK_SECRET", default="")  # name:password
ANYMAIL = env.json("ANYMAIL", default={})
if EMAIL_PROVIDER and ANYMAIL:
    ANYMAIL |= {"WEBHOOK_SECRET": [EMAIL_WEBHOOK_SECRET] if EMAIL_WEBHOOK_SECRET else []}
    ANYMAIL |= {"REQUESTS_TIMEOUT": env.float("CHANNEL_TIMEOUT", default=20)}
    EMAIL_BACKEND = f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="clinic@localhost")
CHANNEL_TIMEOUT = env.float("CHANNEL_TIMEOUT", default=20)  # seconds a provider may take to answer
SMS_PART_COSTS = env.str("SMS_PART_COSTS", default="")  # an amount and its currency: "0.12 ILS"
# Messages a second that each sender may send; 0 is as many as come.
SMS_PER_SECOND = env.float("SMS_PER_SECOND", default=1)
WHATSAPP_PER_SECOND = env.float("WHATSAPP_PER_SECOND", default=20)
TELEGRAM_PER_SECOND = env.float("TELEGRAM_PER_SECOND", default=20)
VOICE_PER_SECOND = env.float("VOICE_PER_SECOND", default=1)
EMAIL_PER_SECOND = env.float("EMAIL_PER_SECOND", default=5)


def _carried_by(channel: str, provider: str, *keys: str) -> str:
    """As the environment says; else by the provider of whom any key is given, and in the demo on the screen."""
    given = any(globals()[key] for key in keys)
    usual = provider if given and not DEMO else ("console" if DEMO else "off")
    return str(env.str(f"CHANNEL_{channel.upper()}", default=usual))


CHANNEL_TRANSPORTS = {
    "phone": "phone",
    "sms": _carried_by("sms", "twilio", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"),
    "whatsapp": _carried_by("whatsapp", "whatsapp", "WHATSAPP_PHONE_ID", "WHATSAPP_TOKEN"),
    "telegram": _carried_by("telegram", "telegram", "TELEGRAM_BOT_TOKEN"),
    "email": _carried_by("email", "anymail" if EMAIL_PROVIDER else "email", "EMAIL_URL", "EMAIL_PROVIDER"),
    # Never by itself: not by an account that was opened for SMS, and not in the demo.
    "voice": env.str("CHANNEL_VOICE", default="voice" if TWILIO_VOICE_FROM and not DEMO else "off"),
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "clinic_journey.api.refusal_as_answer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Clinic Journey",
    "DESCRIPTION": "Patients, referrals, incoming documents, appointments and outreach of one organisation.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "PatientStatus": "patients.models.PatientStatus",
        "ReferralStatus": "referrals.models.ReferralStatus",
        "DocumentStatus": "referrals.models.DocumentStatus",
        "AppointmentStatus": "appointments.models.AppointmentStatus",
        "TaskStatus": "outreach.models.TaskStatus",
        "AttemptStatus": "outreach.models.AttemptStatus",
        "Currency": "inquiries.models.Currency",
        "Language": "patients.models.Language",
        "PraiseKind": "outreach.praise_models.PraiseKind",
        "OfferingKind": "inquiries.models.OfferingKind",
        "StepKind": "journeys.models.StepKind",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"links": {"()": "clinic_journey.log_lines.WithoutLinks"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["links"]},
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # These write addresses of requests into the log: with patients' numbers in them, and with keys.
    "loggers": {name: {"level": "WARNING"} for name in ("twilio.http_client", "httpx", "httpcore")},
}
