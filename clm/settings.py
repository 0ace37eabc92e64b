"""Settings of one installation. Everything an operator may change is an environment variable, listed in
docs/operations.md; nothing here starts a server or opens a connection, because linters import this file too."""

import zoneinfo
from pathlib import Path
from urllib.parse import unquote

import environ

# Calendar days decide stages, so every machine must read them from one and the same zone data: the pinned
# tzdata package, never whatever the operating system happens to carry.
zoneinfo.reset_tzpath(to=())

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- Where things live -------------------------------------------------------------------------------------
DATA_DIR = Path(env.str("CLM_DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()
DATABASE_URL = env.str("DATABASE_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="")
EMBEDDED_POSTGRES = not DATABASE_URL
EMBEDDED_VALKEY = not REDIS_URL
# Safe against a killed server but not against power loss, and faster; the tests set it for their own directory.
EMBEDDED_FAST = env.bool("CLM_EMBEDDED_FAST", default=False)

# --- Safety ------------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    # A private installation keeps its own random key beside its data; production sets the variable.
    from clm.lib.secret_key import kept_secret_key

    SECRET_KEY = kept_secret_key(DATA_DIR)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31536000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_SSL_REDIRECT = HTTPS
# A redirect on the ingestion paths loses whole batches: Segment's clients follow it as GET.
SECURE_REDIRECT_EXEMPT = [r"^v1/", r"^healthz$", r"^readyz$"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        # Charts place their tooltips by style attributes; style sheets and scripts stay 'self'.
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Applications ------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "template_partials",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "clm.lib.access",
    "clm",
    "customers",
    "lifecycle",
    "campaigns",
    "analytics",
]
MIDDLEWARE = [
    "clm.lib.request_log.RequestLogMiddleware",
    # Whoever watches asks by address, not by name, and over http: before hosts are checked and https is demanded.
    "clm.health.HealthMiddleware",
    # Machines send here by a key of their own, by any name and over what they can: no session, no redirect.
    "customers.receiving.view.IngestionMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "clm.lib.access.middleware.DenyByDefaultMiddleware",
    "clm.lib.access.middleware.ViewerZoneMiddleware",
    "clm.lib.access.last_seen.LastSeenMiddleware",
    "clm.lib.access.authors.AuthorMiddleware",
    "clm.lib.reading.ReadOnceMiddleware",
]
ROOT_URLCONF = "clm.urls"
WSGI_APPLICATION = "clm.wsgi.application"
# Django's redirect that appends a slash would turn a POST of events into a GET; clm.lib.refusals leads on only those
# who read, and nobody under /v1/.
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clm.lib.access.context.permissions",
                "analytics.pages.frame.frame",
            ],
            # Used on every page, so no template has to load them.
            "builtins": [
                "clm.lib.templatetags.drawing",
                "clm.lib.templatetags.icons",
                "clm.lib.templatetags.numbers",
                "clm.lib.templatetags.times",
            ],
        },
    }
]

# --- Data --------------------------------------------------------------------------------------------------
if EMBEDDED_POSTGRES:
    DATABASES = {
        "default": {
            "ENGINE": "clm.embedded.postgresql",
            "NAME": env.str("CLM_DATABASE", default="postgres"),
            "USER": "postgres",
            # The backend fills in HOST (the socket's directory) when it starts or finds the server.
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    }
else:
    DATABASES = {"default": env.db_url_config(DATABASE_URL)}
    DATABASES["default"].update({"ENGINE": "clm.lib.postgresql", "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True})
    # postgres://clm@%2Fvar%2Frun%2Fpostgresql/clm is a socket's directory for PostgreSQL's own programs, so for us too.
    DATABASES["default"]["HOST"] = unquote(DATABASES["default"]["HOST"])
    # A machine that has gone answers nothing at all; without a limit each request would wait for minutes.
    DATABASES["default"]["OPTIONS"] = {"connect_timeout": 5, **DATABASES["default"].get("OPTIONS", {})}
DATABASES["default"]["TEST"] = {"NAME": env.str("CLM_TEST_DATABASE", default="test_clm")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Rate limits and small look-ups; in the database, so that a dead broker never keeps anybody from logging in.
# Django would drop a third of it above 300 entries; remembered figures go when their time is over (`analytics.days`).
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "clm_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

# --- People ------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "clm.lib.access.adapter.NoSignupAdapter"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_FORMS = {"reset_password": "clm.lib.access.forms.AskForLink"}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Nobody signs up here, so strangers who mistype an address are not written to.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# Without a mail server none is sent, not even into the log: a link to set a password is a key.
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="dummymail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="") or "CLM <no-reply@localhost>"

# --- Language and time -------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LOCALE_PATHS = [BASE_DIR / "locale"]

# --- Static files ------------------------------------------------------------------------------------------
STATIC_URL = "static/"
# An image carries its collected files; elsewhere they lie beside the data.
STATIC_ROOT = Path(env.str("CLM_STATIC_DIR", default=str(DATA_DIR / "static"))).resolve()
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "clm.lib.static_files.NamedFilesFinder",
    "clm.lib.static_files.NamedAppFilesFinder",
]
NODE_MODULES = BASE_DIR / "node_modules"
STATIC_PACKAGES = {
    "vendor/echarts": (NODE_MODULES / "echarts" / "dist", ["echarts.min.js"]),
    # index.css names one font file per script; a browser fetches those whose letters a page shows.
    "vendor/inter": (
        NODE_MODULES / "@fontsource-variable" / "inter",
        [
            "index.css",
            *(
                f"files/inter-{script}-wght-normal.woff2"
                for script in ("latin", "latin-ext", "cyrillic", "cyrillic-ext", "greek", "greek-ext", "vietnamese")
            ),
        ],
    ),
}
STATIC_APP_FILES = [
    "django_htmx/htmx-2.min.js",
    "django_htmx/django-htmx.js",
    "drf_spectacular_sidecar/swagger-ui-dist/*.js",
    "drf_spectacular_sidecar/swagger-ui-dist/*.css",
    "drf_spectacular_sidecar/swagger-ui-dist/*.png",
]
ICONS_DIR = NODE_MODULES / "@tabler" / "icons" / "icons" / "outline"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "clm.lib.static_files.Storage"},
}
WHITENOISE_MANIFEST_STRICT = True
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
MEDIA_ROOT = DATA_DIR / "files"

# --- API ---------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "clm.lib.access.authentication.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["clm.lib.access.authentication.DeclaredPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["clm.lib.json_bodies.JSONBodyParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    # `format` is a parameter like any other: one that nobody declared is refused by name.
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "clm.lib.problems.problem_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CLM API",
    "DESCRIPTION": "Customer lifecycle management: customers, touchpoints, stages, segments and metrics.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["clm.lib.access.authentication.DeclaredPermission"],
    "ENUM_NAME_OVERRIDES": {
        "UserRole": "clm.lib.access.models.Role",
        "TouchpointRole": "customers.models.touchpoint.Role",
        "ConsentState": "customers.models.contracts.Consent.State",
        "ImportKind": "customers.models.intake.Import.Kind",
        "MetricKind": "campaigns.experiments.KINDS",
        "ExperimentMode": "campaigns.models.experiments.Experiment.Mode",
        "ImportState": "customers.models.intake.Import.State",
        "ExportState": "analytics.models.exports.Export.State",
        "MailingState": "analytics.models.reports.Mailing.State",
        "MailingKind": "analytics.models.reports.Mailing.Kind",
        "SendingState": "analytics.models.reports.Sending.State",
        "DeliveryState": "campaigns.models.outgoing.Delivery.State",
        "VersionState": "lifecycle.models.definitions.Version.State",
        "CountingState": "analytics.models.kept.Counting.State",
        "ChangeState": "analytics.changes.STATES",
        "PreviewState": "analytics.api.estimates.STATES",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Background work ---------------------------------------------------------------------------------------
# A message is only a wake-up: everything that must happen is a row, found again by the next tick.
CELERY_BROKER_URL = REDIS_URL or "embedded"  # clm.celery asks the embedded server for its address
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ETA_TASK_LIMIT = 1000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20.0
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 1.0,
    "socket_connect_timeout": 1.0,
    "unacked_restore_throttle": 1,
    "visibility_timeout": 600,
}
CELERY_TASK_PUBLISH_RETRY = False  # the next beat tries again; waiting here would only hold somebody up
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_CONCURRENCY = env.int("WORKER_PROCESSES", default=2)
CLM_WEB_PROCESSES = env.int("WEB_PROCESSES", default=2)
CLM_WEB_THREADS = env.int("WEB_THREADS", default=4)

# --- The program's own knobs -------------------------------------------------------------------------------
PORT = env.int("PORT", default=8000)
CLM_HOST = env.str("HOST", default="127.0.0.1")
# Customers of one bucket share an advisory lock; a bucket is a contiguous range of customer ids.
CLM_BUCKET_SIZE = 10_000
CLM_ADVANCE_BATCH = 500
# Touchpoints one transaction of advance takes on: about half a second, which others wait for at most.
CLM_BATCH_TOUCHPOINTS = 200_000
CLM_HOT_TOUCHPOINTS = 20_000
CLM_PARK_TOUCHPOINTS = 1_000_000
CLM_TICK_SECONDS = 0.25
# How many batches of events one web process stores at once; the threads left over are for people.
CLM_INGEST_AT_ONCE = env.int("INGEST_AT_ONCE", default=max(1, CLM_WEB_THREADS - 1))
# So much of packed histories each process keeps at hand (MB of 10^6 bytes): a model of a million customers takes 50.
CLM_HELD_MB = env.int("HELD_MB", default=256)
# So many user ids met under one anonymous id, and it is a shared device, which says nothing about any two of them.
CLM_NAMES_OF_A_DEVICE = env.int("NAMES_OF_A_DEVICE", default=25)
# So many files are made at the same time, each by a process of its own, and kept for so long.
CLM_EXPORTS_AT_ONCE = env.int("EXPORTS_AT_ONCE", default=1)
CLM_EXPORT_HOURS = env.int("EXPORT_HOURS", default=72)
# Webhooks go to public addresses alone, unless networks are named; an authority of one's own may vouch for receivers.
CLM_WEBHOOK_NETWORKS = env.list("WEBHOOK_NETWORKS", default=[])
CLM_WEBHOOK_CA_FILE = env.str("WEBHOOK_CA_FILE", default="")
# So long everything about one attempt may take (seconds), and so many days nothing may arrive before it is given up.
CLM_WEBHOOK_SECONDS = 20.0
CLM_WEBHOOK_DEAD_DAYS = env.int("WEBHOOK_DEAD_DAYS", default=5)
# /readyz tells of a part that has not been seen at work for so long; a batch of advance may take half a minute.
CLM_PULSE_SECONDS = 120
# ... and of less free space than this (MB of 10^6 bytes) where the data directory lies.
CLM_DISK_FREE_MB = env.int("DISK_FREE_MB", default=1000)

# --- Logs: no personal data, one line of JSON per event in production ----------------------------------------
_LOG_FORMAT = env.str("LOG_FORMAT", default="plain")
# One line per request: for those who collect lines, not for a terminal.
CLM_LOG_REQUESTS = env.bool("LOG_REQUESTS", default=_LOG_FORMAT == "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "clm.lib.log_lines.PlainLine"},
        "json": {"()": "clm.lib.log_lines.JsonLine"},
    },
    "filters": {
        "brief": {"()": "clm.lib.brief_logs.Brief"},
        "brief_while_away": {"()": "clm.lib.brief_logs.BriefWhileAway"},
        "route_for_path": {"()": "clm.lib.log_lines.RouteForPath"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": _LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Django gives both handlers of their own when it starts; all lines go through the one above.
        "django": {"handlers": [], "propagate": True},
        # That a page is not there is told to whoever asked; LOG_REQUESTS tells the status of every request.
        "django.request": {"filters": ["route_for_path", "brief_while_away"], "level": "ERROR"},
        "django.server": {"handlers": [], "propagate": True, "level": "WARNING"},
        "pghistory": {"level": "WARNING"},
        # What a library plans for its next major version concerns nobody who runs this one.
        "py.warnings": {"level": "ERROR"},
        "celery.beat": {"filters": ["brief"]},
        "celery.worker.consumer.consumer": {"filters": ["brief"]},
        "gunicorn.error": {"handlers": [], "propagate": True, "level": "WARNING"},
        "gunicorn.access": {"handlers": [], "propagate": False},
    },
}
