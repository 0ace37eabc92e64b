"""Making files in a process of its own: it takes minutes and much memory."""

from clm.lib.own_process import OwnProcess
from customers.ingest import clock

from .jobs import has_work

_export = OwnProcess("export")


def start_if_needed() -> bool:
    """Start `manage.py export` if files wait, there is room for one more and this process has none at work; whether one
    was started. A killed one is found by its lease."""
    return _export.start_if(lambda: has_work(now=clock()))
