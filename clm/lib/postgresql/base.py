"""Django's PostgreSQL backend, save that a connection which breaks is always an OperationalError."""

from types import TracebackType

import psycopg2
from django.db import OperationalError
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property


class _ToldErrors(DatabaseErrorWrapper):
    """PEP 249 calls a disconnection an OperationalError. What libpq reports by itself while an answer is on its way, as
    when the server dies just then, has no SQLSTATE, and psycopg2 raises the bare DatabaseError for it: to whoever
    decides by the class, that would be a fault of what was asked, which is never tried again."""

    def __init__(self, wrapper: base.DatabaseWrapper) -> None:
        super().__init__(wrapper)
        self.connection = wrapper

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        bare = exc_type is psycopg2.DatabaseError
        if bare and isinstance(exc_value, psycopg2.DatabaseError) and exc_value.pgcode is None:
            self.connection.errors_occurred = True
            raise OperationalError(*exc_value.args).with_traceback(traceback) from exc_value
        super().__exit__(exc_type, exc_value, traceback)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL."""

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return _ToldErrors(self)
