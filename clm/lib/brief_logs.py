"""Log records without a stack that tells nobody anything: that the broker is away is one line, and so is a refused
page."""

import logging


class Brief(logging.Filter):
    """Keeps the first line of a record that carries an exception, and drops the traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:
            record.msg, record.args = record.getMessage().partition("\n")[0], ()
            record.exc_info = record.exc_text = record.stack_info = None
        return True


class BriefRefusals(Brief):
    """The same below errors: a page refused or not found is one line, a fault of ours keeps its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR or super().filter(record)
