"""A line on the terminal that says how far a long run has come.

Drawn by hand: a library's bar redraws from a thread, and a process with threads cannot fork workers safely.
"""

from __future__ import annotations

import shutil
import sys
import time

__all__ = ["Progress"]

_REDRAW_SECONDS = 0.1
_BAR_CELLS = 24


class Progress:
    """A progress line on stderr; nothing at all where stderr is not a terminal.

    Parameters
    ----------
    total : int or None
        What counts as done; None if nobody knows.
    shown : bool
        False to draw nothing on a terminal either.
    """

    def __init__(self, total: int | None, *, shown: bool = True) -> None:
        self.shown = shown and sys.stderr.isatty()
        self.total = total
        self._began = self._drawn = time.monotonic()
        self._visible = False

    @property
    def seconds(self) -> float:
        """Time since the beginning."""
        return time.monotonic() - self._began

    def update(self, done: int) -> None:
        """Redraw, if the last time was long enough ago."""
        now = time.monotonic()
        if self.shown and now - self._drawn > _REDRAW_SECONDS:
            self._drawn, self._visible = now, True
            line = progress_line(done, self.total, now - self._began)
            sys.stderr.write(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K")
            sys.stderr.flush()

    def clear(self) -> None:
        """Make room for other text."""
        if self._visible:
            self._visible = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def progress_line(done: int, total: int | None, seconds: float) -> str:
    """Say how far a run has come, how fast it is, and how long it will take.

    Examples
    --------
    >>> progress_line(30, 120, 10.0)
    '[======                  ] 30/120  3 images/s  0:30 left'
    >>> progress_line(30, None, 10.0)
    '30 images  3 images/s'
    """
    rate = done / seconds if seconds > 0 else 0.0
    speed = f"{rate:.0f} images/s" if rate >= 3 else f"{rate:.1f} images/s"
    if not total:
        return f"{done} images  {speed}"
    filled = min(_BAR_CELLS, _BAR_CELLS * done // total)
    left = f"  {_clock((total - done) / rate)} left" if rate and total >= done else ""
    return f"[{'=' * filled}{' ' * (_BAR_CELLS - filled)}] {done}/{total}  {speed}{left}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
