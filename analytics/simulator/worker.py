"""The beginning of a process that stores portions: Django is set up before anything that needs it is imported."""

import os
import threading
from multiprocessing import connection, parent_process


def begin() -> None:
    """Set up this process; it ends when the one that started it does, however that ends."""
    import django

    django.setup()
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
