"""How gunicorn serves the program: `gunicorn --config python:clm.web_server`. Every number an operator may change is a
setting, so that the command is the same everywhere."""

import gc
import os
from importlib import import_module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clm.settings")

from django.conf import settings

_host = f"[{settings.CLM_HOST}]" if ":" in settings.CLM_HOST else settings.CLM_HOST
wsgi_app = "clm.wsgi:application"
bind = f"{_host}:{settings.PORT}"
workers = settings.CLM_WEB_PROCESSES
threads = settings.CLM_WEB_THREADS
worker_class = "clm.web_worker.Worker"
# The longest it can be told to read: an address with many filters is long.
limit_request_line = 8190
# The pages are loaded once, before the processes are forked.
preload_app = True
# Requests that have begun are finished; whoever stops us waits 10 s (clm.supervisor, docker-compose.yml).
graceful_timeout = 8
# A process whose heart has stopped for so long is replaced. Threads do not hold up the heart, so long requests live.
timeout = 60
keepalive = 5
# The heart is a file that is touched; on a disk that blocks it would look like death.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
# 27 writes a control socket under the home directory unless told not to.
control_socket_disable = True
loglevel = "warning"
logconfig_dict = settings.LOGGING


def when_ready(_server: object) -> None:
    """gunicorn calls it once, when the program is loaded and no process is forked yet. Nothing of what is loaded by
    then ever goes away. Left among what Python's collector looks through, its large libraries cost one request in a
    dozen 70 ms; set aside, they also stay shared between the processes."""
    gc.collect()
    gc.freeze()
    # A batch of events makes thousands of objects that live until it is stored. Looking through all that is young after
    # every 700 of them, Python's default, took 8 % of its time.
    gc.set_threshold(20_000, 20, 20)


def post_worker_init(_worker: object) -> None:
    """gunicorn calls it in each process when that is ready to serve."""
    import_module("analytics.days.read_ahead").begin()
