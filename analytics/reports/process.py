"""Writing and sending reports in a process of its own: drawing the pictures takes much memory, and a mail server may be
slow."""

from clm.lib.own_process import OwnProcess
from customers.ingest import clock

from .planning import has_work, plan

_send_reports = OwnProcess("send_reports")


def start_if_due() -> bool:
    """Plan what is due, and start `manage.py send_reports` if something is to be written or sent and this process has
    none at work; whether one was started."""
    plan(now=clock())
    return _send_reports.start_if(lambda: has_work(now=clock()))
