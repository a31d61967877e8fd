"""What an experiment would do, to be read before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Plan", "PlannedCell", "duration"]


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A part of an experiment that is done, or not, as a whole; an interrupted run goes on with the next.

    Parameters
    ----------
    name : str
        Such as the source whose spectra are measured.
    images : int
        How many are read.
    work : str
        What is done, in a few words.
    seconds : float
        Estimated time.
    done : bool
        Whether a result is there already.
    """

    name: str
    images: int
    work: str
    seconds: float
    done: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    r"""The parts of an experiment.

    Parameters
    ----------
    cells : tuple of PlannedCell
        In the order in which they are done.
    notes : tuple of str
        What is left out and why, a line each.

    Examples
    --------
    >>> plan = Plan((PlannedCell("faces", 500, "real, stylegan", 70.0),), ("faces.tar: an archive; unpack it",))
    >>> print("\n".join(plan.lines()))
    faces     500 images  about 1 min 10 s  real, stylegan
    1 cell, 500 images, about 1 min 10 s
    Left out: faces.tar: an archive; unpack it
    """

    cells: tuple[PlannedCell, ...]
    notes: tuple[str, ...] = ()

    @property
    def images(self) -> int:
        """Number of images."""
        return sum(cell.images for cell in self.cells)

    @property
    def seconds(self) -> float:
        """Estimated time of what is not done."""
        return sum(cell.seconds for cell in self.cells if not cell.done)

    def lines(self) -> list[str]:
        """Return the plan as text."""
        width = max((len(cell.name) for cell in self.cells), default=0)
        rows = [
            f"{cell.name:{width}}  {cell.images:6,} images  "
            f"{'done' if cell.done else f'about {duration(cell.seconds)}':16}  {cell.work}"
            for cell in self.cells
        ]
        cells = "1 cell" if len(self.cells) == 1 else f"{len(self.cells)} cells"
        total = f"{cells}, {self.images:,} images, about {duration(self.seconds)}"
        return [*rows, total, *(f"Left out: {note}" for note in self.notes)]


def duration(seconds: float) -> str:
    """Write a time as people say it.

    Examples
    --------
    >>> duration(8.4), duration(70), duration(7500)
    ('8 s', '1 min 10 s', '2 h 5 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
