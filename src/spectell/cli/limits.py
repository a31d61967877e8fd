"""The options of what one image file may take, for every command that reads files in processes of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

__all__ = ["file_limits"]


def file_limits(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--timeout`` and ``--max-pixels``; the latter reaches the command only if it was given.

    The library has the default of ``--max-pixels``, and is not imported for ``--help``.
    """

    @click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds that one file may take.")
    @click.option("--max-pixels", type=click.IntRange(min=1), help="Refuse larger files; 250 million by default.")
    @wraps(command)
    def limited(*arguments: Any, max_pixels: int | None, **options: Any) -> Any:
        return command(*arguments, **options, **({} if max_pixels is None else {"max_pixels": max_pixels}))

    return limited
