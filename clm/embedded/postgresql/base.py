"""Django's PostgreSQL backend on the private server: it is started, or found, when the first connection is made."""

from typing import Any

from psycopg2 import OperationalError

from clm.embedded.installation import installation
from clm.embedded.places import EmbeddedError
from clm.lib.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the private PostgreSQL of this installation."""

    def __init__(self, settings_dict: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        # The port is part of the socket's name; left open, PGPORT of somebody's shell would decide.
        super().__init__({**settings_dict, "HOST": str(installation.places.sockets), "PORT": "5432"}, *args, **kwargs)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            installation.ensure_postgres()
            try:
                return super().get_new_connection(conn_params)
            except OperationalError:
                # It may have died between the look and the call; once more, and whatever is wrong then is real.
                installation.ensure_postgres()
                return super().get_new_connection(conn_params)
        except EmbeddedError as error:
            raise OperationalError(str(error)) from error
