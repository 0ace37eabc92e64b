"""Log records without a stack that tells nobody anything: that the broker or the database is away is one line."""

import logging

from .database_away import is_away


class Brief(logging.Filter):
    """Keeps the first line of a record that carries an exception, and drops the traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:
            record.msg, record.args = record.getMessage().partition("\n")[0], ()
            record.exc_info = record.exc_text = record.stack_info = None
        return True


class BriefWhileAway(Brief):
    """The same for requests that fail because the database is away: one line each, and no traceback, which would name
    the wrong culprit a hundred times."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        return super().filter(record) if is_away(error) else True
