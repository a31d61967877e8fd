"""What a scan must say that no row can: files that it passed over, and rows that may be out of date."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ScanNotes"]


@dataclass(slots=True)
class ScanNotes:
    """Counts that a scan fills in as it goes, each with the first file that it is about.

    Parameters
    ----------
    passed_over : int
        Files in the walked folders that do not have an image's suffix, hidden ones not counted.
    first_passed_over : str
    changed : int
        Files that have changed, or are gone, since the earlier run began that wrote their rows.
    first_changed : str

    Examples
    --------
    >>> notes = ScanNotes()
    >>> notes.pass_over("notes.txt")
    >>> notes.pass_over("photo")
    >>> notes.passed_over, notes.first_passed_over
    (2, 'notes.txt')
    """

    passed_over: int = 0
    first_passed_over: str = ""
    changed: int = 0
    first_changed: str = ""

    def pass_over(self, path: str) -> None:
        """Count a file that is not looked at because of its name."""
        self.first_passed_over = self.first_passed_over or path
        self.passed_over += 1

    def note_change(self, path: str) -> None:
        """Count a file whose row may be about other content."""
        self.first_changed = self.first_changed or path
        self.changed += 1
