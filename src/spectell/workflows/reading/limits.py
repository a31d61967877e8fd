"""What one image file may take, in a process of its own, before it is given up."""

from __future__ import annotations

from dataclasses import dataclass

from spectell.errors import ParameterError
from spectell.images import DEFAULT_MAX_PIXELS
from spectell.workflows.workers.pool import check_limits

__all__ = ["DEFAULT_TIMEOUT", "Limits"]

DEFAULT_TIMEOUT = 60.0
"""Seconds for one file. The slowest honest one of 20 megapixels takes about two."""

_MEMORY_BYTES = 1 << 30
_MEMORY_BYTES_PER_PIXEL = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be, and how long it may take.

    Parameters
    ----------
    max_pixels : int >= 1
        Files that declare more are refused.
    timeout : float > 0
        Seconds that one file may take in a process of its own, five times as many above 20 megapixels.

    Raises
    ------
    ParameterError
        If one of them is outside its domain.

    Examples
    --------
    >>> Limits(max_pixels=1_000_000).memory
    1089741824
    """

    max_pixels: int = DEFAULT_MAX_PIXELS
    timeout: float = DEFAULT_TIMEOUT

    def __post_init__(self) -> None:
        if self.max_pixels < 1:
            raise ParameterError(f"max_pixels must be at least 1, got {self.max_pixels}")
        check_limits(1, self.timeout)

    @property
    def memory(self) -> int:
        """Bytes that a process may take to read one file and work on it."""
        return _MEMORY_BYTES + _MEMORY_BYTES_PER_PIXEL * self.max_pixels
