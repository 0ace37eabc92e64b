"""What a database needs before the program can work on it, each step only when it is missing."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def migrate(*, tell: Callable[[int], None]) -> None:
    """Apply the migrations that are missing, telling first how many they are, and make the cache's table."""
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        tell(len(plan))
        call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def admin_login() -> Path:
    """Where the login is kept that an installation without the demo gets for its first admin."""
    return Path(settings.DATA_DIR / "admin-login.txt")
