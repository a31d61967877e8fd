"""What the pages of all experiments have."""

from __future__ import annotations

from typing import Any

from spectell.experiments.plan import duration
from spectell.reports.markup import Markup, element, join
from spectell.reports.parts import code, facts, file_link

__all__ = ["how_to_repeat"]


def how_to_repeat(record: dict[str, Any]) -> Markup:
    """Show the command that repeats a run, and what else its record says of how it was run.

    Parameters
    ----------
    record : dict
        Of `spectell.experiments.record.make_record`, with ``seconds``.
    """
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return join(
        [
            element("pre", code(record["command"])),
            facts(
                [
                    ("seed", record["seed"]),
                    ("processes", record["workers"]),
                    ("images, as a hash", record["manifest"]),
                    ("versions", versions),
                    ("the last run took", duration(record["seconds"])),
                    ("the same as a file", file_link("record.json")),
                ]
            ),
        ]
    )
