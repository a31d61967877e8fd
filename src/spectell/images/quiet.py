"""Keep what decoders say to themselves off the terminal.

Warnings, log records and lines that C libraries print are process-wide channels: silencing one is a change that
every thread sees. A change is therefore made by the first reader that needs it and undone by the last, so that
readers in several threads never restore each other's state.
"""

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock

__all__ = ["native_stderr_silenced", "pillow_silenced"]

_PILLOW_MODULES = r"(PIL|pillow_heif)\."


class _Shared:
    """A process-wide change that lasts while any thread is inside; `change` makes it and returns its undoing."""

    def __init__(self, change: Callable[[], Callable[[], None]]) -> None:
        self._change = change
        self._undo: Callable[[], None] = _nothing
        self._lock = Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._undo = self._change()
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._undo()


def _nothing() -> None:
    """Undo a change that was not made."""


def _ignore_pillow_warnings() -> Callable[[], None]:
    guard = warnings.catch_warnings()
    guard.__enter__()
    warnings.filterwarnings("ignore", module=_PILLOW_MODULES)
    return lambda: guard.__exit__(None, None, None)


@contextmanager
def _ignore_pillow_warnings_here() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=_PILLOW_MODULES)
        yield


def _discard_stderr() -> Callable[[], None]:
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        return _nothing
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    os.close(sink)

    def restore() -> None:
        os.dup2(kept, 2)
        os.close(kept)

    return restore


_warnings_ignored = _Shared(_ignore_pillow_warnings)
_stderr_discarded = _Shared(_discard_stderr)

# One damaged TIFF header makes Pillow log an error, which Python prints on stderr when nobody has configured logging.
# The exception that follows says it all; handlers that the user has set up still get the record.
logging.getLogger("PIL.TiffImagePlugin").addHandler(logging.NullHandler())


def pillow_silenced() -> AbstractContextManager[None]:
    """Ignore the warnings that Pillow's modules issue, while any reader is inside.

    Where Python keeps a list of filters for each context (free-threaded builds), there is nothing to share.

    Examples
    --------
    >>> before = list(warnings.filters)
    >>> with pillow_silenced():
    ...     len(warnings.filters) - len(before)
    1
    >>> before == list(warnings.filters)
    True
    """
    if getattr(sys.flags, "context_aware_warnings", False):
        return _ignore_pillow_warnings_here()
    return _warnings_ignored


def native_stderr_silenced() -> AbstractContextManager[None]:
    """Discard what is written to file descriptor 2, which is where libtiff prints its complaints.

    Lines that other threads write there meanwhile are lost as well: hold it for the decoding of one file only.

    Examples
    --------
    >>> with native_stderr_silenced():
    ...     os.write(2, b"gone")
    4
    """
    return _stderr_discarded
