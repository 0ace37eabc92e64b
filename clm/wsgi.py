"""The WSGI entry point for gunicorn."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clm.settings")
application = get_wsgi_application()
# The pages are loaded now, once for all processes that gunicorn forks, instead of by the first visitor of each.
import_module(settings.ROOT_URLCONF)
