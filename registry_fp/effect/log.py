"""Logs: where this library says what it does, below the name `registry_fp`; who wants to read it says so.

A record is one line of printable text, whatever a server or an archive had to say: no control byte gets from there to
a terminal through a log.
"""

from __future__ import annotations

import logging
from typing import Final

from registry_fp.domain.printable import printable

__all__ = ["log_of"]

_ROOT: Final = "registry_fp"
_TRACES: Final = logging.Formatter()


class _Printable(logging.Filter):
    """Makes one printable line of what is logged, and printable lines of an exception."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = printable(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            lines = _TRACES.formatException(record.exc_info).split("\n")
            record.exc_text = "\n".join(printable(line) for line in lines)
        return True


_ONE_LINE: Final = _Printable()


def log_of(name: str) -> logging.Logger:
    """The log of this name, below `registry_fp`; nobody hears it until a handler is added (PEP 282)."""
    root = logging.getLogger(_ROOT)
    if not any(isinstance(each, logging.NullHandler) for each in root.handlers):
        root.addHandler(logging.NullHandler())  # else Python writes warnings to standard error by itself
    log = logging.getLogger(name)
    log.addFilter(_ONE_LINE)
    return log
