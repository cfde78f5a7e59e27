"""Settings, from the environment only. Every default works embedded: `make run` on a bare machine.

`portal/checks.py` explains a wrong one in the operator's words.
"""

import os
from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from labs.simulator import GATEWAY_PATH
from portal import running
from portal.broker import socket_path

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Everything the product writes lies under here.
VAR = Path(env("LIGHTSOUT_VAR", default=str(BASE_DIR / "var"))).resolve()
VAR.mkdir(parents=True, exist_ok=True)

# A command in a second terminal speaks with what `make run` started, on whatever ports that is.
_ports = running.ports(VAR)


def port_of(name, default):
    said = env(name, default=_ports.get(name, str(default)))
    if not said.isdecimal() or not 1 <= int(said) <= 65535:
        raise ImproperlyConfigured(f"{name} is {said!r}, which is no port: write a number from 1 to 65535.")
    return int(said)


DEFAULT_SECRET_KEY = "embedded-default-for-loopback-only"
SECRET_KEY = env("SECRET_KEY", default=DEFAULT_SECRET_KEY)
DEBUG = env.bool("DEBUG", default=False)
# Demo people, demo sign-in cards. Refused on anything but loopback (portal/checks.py).
DEMO = env.bool("DEMO", default=False)
PORT = port_of("PORT", 8000)
HOST = env("HOST", default="127.0.0.1")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env("PUBLIC_URL", default=f"http://127.0.0.1:{PORT}")
BEHIND_HTTPS = env.bool("BEHIND_HTTPS", default=False)
if BEHIND_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^alive/$", r"^ready/$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS

INSTALLED_APPS = [
    "portal",
    "costs",
    "labs",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.github",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.zones.ReadersZoneMiddleware",
    "portal.seen.LastSeenMiddleware",
    "portal.second_factor.SecondFactorMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n", "portal.templatetags.look"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.chrome.chrome",
            ],
        },
    }
]

# --- where things are kept ---------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR / 'lightsout.sqlite3'}")}
ON_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
if ON_SQLITE:
    # IMMEDIATE: of 16 writers 0 of 1600 failed, 916 on the defaults. FULL: a receipt survives a power cut.
    # Tests on a file too: a database in memory has neither the locks nor the log of the real one.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(gettempdir()) / f"lightsout-test-{os.getpid()}.sqlite3")}
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MEDIA_ROOT = VAR / "files"
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_TEMP_DIR = VAR / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
# The body without files: a Markdown answer of 200 KB and its form fields.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(VAR / "static")))
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # pages ask for no others, and each is compressed twice
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- people ------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "portal.access.ScopeBackend",
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "portal.accounts.InviteOnly"
ACCOUNT_LOGOUT_ON_GET = False
# A class of 240 may sign in from one room, which is one address. What is guessed is counted by account as well.
ACCOUNT_RATE_LIMITS = {
    "login": "300/m/ip",
    "login_failed": "60/m/ip,5/300s/key",
    "reset_password": "60/m/ip,3/10m/key",
    "reset_password_from_key": "60/m/ip",
    "join": "60/m/ip",
    "join_mail": "3/h/key",
}
# Proxies of the operator's own before this portal, each of which writes into X-Forwarded-For who asked it.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=1 if BEHIND_HTTPS else 0)
# Instructors and admins reach nothing without one (portal/second_factor.py). Not for the environment to turn off.
STAFF_NEED_SECOND_FACTOR = True
MFA_ADAPTER = "portal.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # phones' clocks are up to half a minute off
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:today"
LOGOUT_REDIRECT_URL = "account_login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="filemail://")
vars().update(EMAIL_CONFIG)
EMAIL_FILE_PATH = EMAIL_CONFIG.get("EMAIL_FILE_PATH") or str(VAR / "mail")
EMAIL_TIMEOUT = 10
# Where notices may go beside mail: schemes of apprise's (docs/notices.md). Those whose addresses name a host, such as
# ntfys, only where the operator adds them; none of them ever reaches a private network.
NOTICE_SCHEMES = [
    scheme.lower() for scheme in env.list("NOTICE_SCHEMES", default=["tgram", "slack", "discord", "gchat"])
]
DEFAULT_FROM_EMAIL = env("FROM_EMAIL", default="Lightsout <lightsout@localhost>")

# Sign-in by Google or GitHub, where NAME_CLIENT_ID and NAME_CLIENT_SECRET are both there (docs/people.md).
SOCIAL_KEYS = {
    "google": (env("GOOGLE_CLIENT_ID", default=""), env("GOOGLE_CLIENT_SECRET", default="")),
    "github": (env("GITHUB_CLIENT_ID", default=""), env("GITHUB_CLIENT_SECRET", default="")),
}
SOCIALACCOUNT_PROVIDERS = {
    name: {"APPS": [{"client_id": client_id, "secret": secret}], "OAUTH_PKCE_ENABLED": True}
    for name, (client_id, secret) in SOCIAL_KEYS.items()
    if client_id and secret
}
SOCIALACCOUNT_ADAPTER = "portal.accounts.InvitedSocially"
SOCIALACCOUNT_QUERY_EMAIL = True
SOCIALACCOUNT_STORE_TOKENS = False
# How often it is written down that somebody is here (portal/seen.py).
SEEN_EVERY = timedelta(minutes=10)

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# --- headers -----------------------------------------------------------------------------------------
SOCIAL_PAGES = {"google": "https://accounts.google.com", "github": "https://github.com"}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # Tabler draws ticks and arrows as data: images
        "style-src": [SELF, NONCE],
        "script-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # Chrome holds a form to this after a redirect too.
        "form-action": [SELF, *(SOCIAL_PAGES[name] for name in SOCIALACCOUNT_PROVIDERS)],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# --- what several web workers count together ---------------------------------------------------------
# In the database, which is there wherever the portal is: sign-in is throttled in all workers as in one, and also while
# the broker is away.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
        # Beyond so many it throws living entries away: nobody shall push out what counts their guesses.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- Celery: acks late, long delays live in the database, never in an ETA ------------------------------
REDIS_URL = env("REDIS_URL", default="")
BROKER_SOCKET = socket_path(VAR)
CELERY_BROKER_URL = REDIS_URL or f"redis+socket://{BROKER_SOCKET}"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Longer than the longest task, a census of every account: what runs is not given to a second worker. A hint that is
# lost with a killed worker is no loss, since the row is the queue.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 1800,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A click does not wait for a broker that is away: the message is only a hint.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_TIME_LIMIT = 100
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat")
CELERY_BEAT_SCHEDULE = {
    "work off due rows": {"task": "labs.tasks.hurry", "schedule": 2.0, "options": {"expires": 2}},
    "confirm settled rows": {"task": "labs.tasks.confirm_settled", "schedule": 60.0, "options": {"expires": 50}},
    "look into every account": {"task": "labs.tasks.census_all", "schedule": 900.0, "options": {"expires": 600}},
    "who made what is nobody's": {"task": "labs.tasks.ask_who_made_it", "schedule": 60.0, "options": {"expires": 50}},
    "end what is past its time": {"task": "labs.tasks.end_expired", "schedule": 15.0, "options": {"expires": 15}},
    "is it the same world": {"task": "portal.tasks.tend_practice", "schedule": 10.0, "options": {"expires": 10}},
    "the doctor's visits": {"task": "portal.tasks.visit_accounts", "schedule": 15.0, "options": {"expires": 15}},
    "who has left": {"task": "portal.tasks.tend_accounts", "schedule": 3600.0, "options": {"expires": 1800}},
    "release planned feedback": {"task": "portal.tasks.release_planned", "schedule": 5.0, "options": {"expires": 5}},
    "look for keys in what was handed in": {
        "task": "portal.tasks.inspect_work",
        "schedule": 3.0,
        "options": {"expires": 3},
    },
    "start labs of classes": {"task": "portal.tasks.start_classes", "schedule": 5.0, "options": {"expires": 5}},
    "tell what is known, and whom it concerns": {
        "task": "portal.tasks.tell",
        "schedule": 60.0,
        "options": {"expires": 50},
    },
    "bring people what they are told": {
        "task": "portal.tasks.deliver_notices",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "send invitations": {"task": "portal.tasks.send_invitations", "schedule": 20.0, "options": {"expires": 20}},
    "mail receipts": {"task": "portal.tasks.mail_receipts", "schedule": 5.0, "options": {"expires": 5}},
    "uploads that nobody goes on with": {
        "task": "portal.tasks.tidy_uploads",
        "schedule": 3600.0,
        "options": {"expires": 1800},
    },
    "meter what was seen": {"task": "costs.tasks.meter", "schedule": 60.0, "options": {"expires": 50}},
    "watch the Free Tier": {"task": "costs.tasks.watch_free_tier", "schedule": 3600.0, "options": {"expires": 1800}},
    "find what was forgotten": {"task": "costs.tasks.find_forgotten", "schedule": 60.0, "options": {"expires": 50}},
    "watch the budgets": {"task": "costs.tasks.watch_budgets", "schedule": 60.0, "options": {"expires": 50}},
    "find unusual days": {"task": "costs.tasks.find_unusual_days", "schedule": 900.0, "options": {"expires": 600}},
    "read AWS's bills": {"task": "costs.tasks.read_bills", "schedule": 900.0, "options": {"expires": 600}},
}

# --- AWS and its simulator ---------------------------------------------------------------------------
SIMULATOR_PORT = port_of("SIMULATOR_PORT", 5566)
# Empty where there is no practice mode, as in the containers.
SIMULATOR_URL = env("SIMULATOR_URL", default=f"http://127.0.0.1:{SIMULATOR_PORT}")
# Made by the simulator at each start: with it, and only with it, the portal gets into practice accounts.
SIMULATOR_SECRET_FILE = Path(env("SIMULATOR_SECRET_FILE", default=str(VAR / "simulator.secret")))
# Where students' own machines reach practice mode: the portal's gateway (portal/gateway.py), by its public address.
GATEWAY_URL = PUBLIC_URL.rstrip("/") + GATEWAY_PATH
# What one student may ask for through it: calls a second, the body of one call, and what they keep in S3.
STUDENT_CALLS_PER_SECOND = env.float("STUDENT_CALLS_PER_SECOND", default=20.0)
STUDENT_BODY_MB = env.int("STUDENT_BODY_MB", default=64)
STUDENT_STORED_MB = env.int("STUDENT_STORED_MB", default=512)
# Regions that practice accounts have. The first is the course's own.
PRACTICE_REGIONS = env.list("PRACTICE_REGIONS", default=["us-east-1", "ap-southeast-1"])
LAB_REGIONS = env.list("LAB_REGIONS", default=["us-east-1"])
# Seconds that a state takes in practice mode. AWS takes longer; this is enough to see it happen.
SIMULATOR_STATE_SECONDS = env.float("SIMULATOR_STATE_SECONDS", default=6.0)
# Seconds that a job works there (training, scoring, a cluster's step).
SIMULATOR_WORK_SECONDS = env.float("SIMULATOR_WORK_SECONDS", default=90.0)
# The portal's own role at AWS, in full: the only one that the roles in connected accounts let in (docs/accounts.md).
PORTAL_ROLE_ARN = env("PORTAL_ROLE_ARN", default="")
# Regions of connected accounts that are looked into, beside those of their labs.
WATCHED_REGIONS = env.list("WATCHED_REGIONS", default=PRACTICE_REGIONS)
# Where the operator has put the output of `manage.py account_template`, for a link that opens it in AWS's console.
TEMPLATE_URL = env("TEMPLATE_URL", default="")
# Only in an emergency, and under a standing warning: the portal's own identity may be an access key that never ends.
ALLOW_LONG_LIVED_KEY = env.bool("ALLOW_LONG_LIVED_KEY", default=False)
# Whoever watches this portal shows this token (Authorization: Bearer); without one the figures do not exist.
METRICS_TOKEN = env("METRICS_TOKEN", default="")
# Students' Lambda functions are a stranger's code: they run on this machine only where its operator says so, and only
# shut in by bubblewrap. Otherwise an invocation answers that practice mode runs no code.
SIMULATOR_RUN_FUNCTIONS = env.bool("SIMULATOR_RUN_FUNCTIONS", default=False)
# Absence counts when seen twice, this far apart: AWS lists new things late and old things long.
ABSENCE_GAP = timedelta(seconds=env.float("ABSENCE_GAP_SECONDS", default=5.0))
METER_EVERY = timedelta(minutes=env.int("METER_EVERY_MINUTES", default=5))
# What is done about what was left on and is no cohort's: tell, grace or at_once (docs/forgotten.md).
LEFT_ON_POLICY = env("LEFT_ON_POLICY", default="tell")
# How long a portal may be dead before AWS turns off what was made by hand in a lab's account (labs/deadman.py).
STRANGER_SWITCH = timedelta(hours=env.float("STRANGER_SWITCH_HOURS", default=4.0))
LAB_EXTENSION = timedelta(minutes=30)
LAB_EXTENSIONS = 2
# What labs save of a person's work before they are torn down: all of it together, and the largest file.
LOCKER_BYTES = env.int("LOCKER_MB", default=200) * 2**20
LOCKER_FILE_BYTES = env.int("LOCKER_FILE_MB", default=50) * 2**20
LABS_AT_ONCE = 2

DEFAULT_EXCEPTION_REPORTER_FILTER = "portal.error_pages.NoValues"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:.1} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        # botocore logs request bodies and headers at DEBUG: credentials would be among them.
        "botocore": {"level": "WARNING"},
        "boto3": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "werkzeug": {"level": "WARNING"},
    },
}
