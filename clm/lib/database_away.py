"""Whether an error means that the database is away: it cannot be reached, is starting or stopping, or has no connection
left to give. Nothing is wrong then with what was asked, and later it can be answered."""

from django.db import InterfaceError, OperationalError

# SQLSTATE: connection exceptions; stopped by an administrator, by a crash, still starting; too many connections.
_AWAY = ("08", "57P01", "57P02", "57P03", "53300")


def is_away(error: BaseException | None) -> bool:
    """True for what Django raises when there is no database to talk to; False for its other errors and for all else."""
    if isinstance(error, InterfaceError):
        return "connection" in str(error)  # "connection already closed"; a closed cursor would be a mistake of ours
    if not isinstance(error, OperationalError):
        return False
    # A connection that cannot be made, or that broke, has no SQLSTATE: nobody was there to give one.
    state = getattr(error.__cause__, "pgcode", None)
    return state is None or state.startswith(_AWAY)


def said_in_one_line(error: BaseException) -> str:
    """PostgreSQL's client speaks in several lines, indented by tabs."""
    return " ".join(str(error).split())
