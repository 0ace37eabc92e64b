"""Log records without Celery's own stack: that the broker is away is one line, said again while it lasts."""

import logging


class Brief(logging.Filter):
    """Keeps the first line of a record that carries an exception, and drops the traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:
            record.msg, record.args = record.getMessage().partition("\n")[0], ()
            record.exc_info = record.exc_text = record.stack_info = None
        return True
