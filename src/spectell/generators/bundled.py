"""Where the generators lie that come with Spectell. Torch-free, so that it can be asked which are there."""

from __future__ import annotations

from pathlib import Path

__all__ = ["BUNDLED"]

BUNDLED = Path(__file__).resolve().parents[1] / "weights" / "generators"
"""Folder of the generators that come with Spectell, a file of its name each."""
