"""Counting experiments in a process of its own: the histories of everybody take much memory."""

from clm.lib.own_process import OwnProcess
from customers.ingest import clock

from .ending import has_work

_count_experiments = OwnProcess("count_experiments")


def start_if_needed() -> bool:
    """Start `manage.py count_experiments` if one has ended or is to be counted anew, and this process has none at work;
    whether it was started."""
    return _count_experiments.start_if(lambda: has_work(now=clock()))
