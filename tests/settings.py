"""Settings of the test runs: the program's own, on a data directory and servers that hold nothing but tests."""

import os
from pathlib import Path

# Set before the program's settings are read, and in the environment, so that commands which tests start as
# processes of their own see the same installation.
os.environ["CLM_DATA_DIR"] = os.environ.get("CLM_TEST_DATA_DIR", str(Path(__file__).parent.parent / ".data" / "test"))
os.environ["CLM_EMBEDDED_FAST"] = "1"
os.environ.setdefault("LOG_LEVEL", "WARNING")

from clm.settings import *  # noqa: F403
from clm.settings import DATABASES, STATIC_ROOT, STORAGES

STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
# A slow hash guards real passwords; here it would only cost time at every login.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Nothing is collected for tests; the directory alone keeps WhiteNoise from warning that there is none.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# A browser keeps its connections to the server of a test; the server's threads would keep theirs to the database as
# long, and the database could not be dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0
