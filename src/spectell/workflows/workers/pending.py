"""What an iterable of items yields while it has none, so that answers need not wait for the next one."""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["PENDING", "Pending"]


class Pending(Enum):
    """The type of `PENDING`."""

    PENDING = "nothing to read yet"


PENDING: Final = Pending.PENDING
"""Stands in a stream of items for "the next one is not there yet", so that nobody waits in vain."""
