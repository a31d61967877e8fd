"""Verdicts for files: the main job, from paths to rows.

Everything is lazy and in order: a row is handed out when every row before it has been, and files are looked for only
as far ahead as the workers need. Arguments are checked when a function is called, not when its rows are read.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from spectell.detectors import Model, load_model
from spectell.errors import ImageError, SpectellError
from spectell.evaluation.thresholds import DEFAULT_FPR
from spectell.images import DEFAULT_MAX_PIXELS, describe_path, read_image
from spectell.workflows.reading.limits import DEFAULT_TIMEOUT, Limits
from spectell.workflows.reading.scan_notes import ScanNotes
from spectell.workflows.reading.walk import PathLike, Unreadable, as_paths, walk
from spectell.workflows.rows.outputs import Output
from spectell.workflows.verdict import Verdict, judge
from spectell.workflows.workers.pending import Pending
from spectell.workflows.workers.pool import Answer, available_cores, check_limits, isolated_map
from spectell.workflows.workers.worker import Failure, Gate

__all__ = ["ScanOptions", "scan", "scan_to_file"]


class ScanOptions(TypedDict, total=False):
    """The options of `scan`, which explains them."""

    model: Model | str | os.PathLike[str] | None
    fpr: float
    thorough: bool
    workers: int | None
    max_pixels: int
    timeout: float


def scan(
    paths: PathLike | Iterable[PathLike | Pending],
    *,
    model: Model | str | os.PathLike[str] | None = None,
    fpr: float = DEFAULT_FPR,
    thorough: bool = False,
    workers: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    timeout: float = DEFAULT_TIMEOUT,
    notes: ScanNotes | None = None,
) -> Generator[Verdict, None, None]:
    """Judge images, each in a process that may fail without harm to the others.

    Parameters
    ----------
    paths : path or iterable of paths
        Files and folders; folders are walked (see `spectell.workflows.reading.walk.walk`). Consumed lazily.
    model : Model or path, optional
        The bundled model by default.
    fpr : float
        Share of real photographs that may be called generated. The model must have been calibrated on enough
        photographs to support it: 0.1 % needs 3,000.
    thorough : bool
        Look at all of a large image instead of a bounded number of blocks.
    workers : int >= 1, optional
        Processes; as many as there are cores by default.
    max_pixels : int > 0
        Files that declare more pixels are error rows.
    timeout : float > 0
        Seconds for one file, five times as many above 20 megapixels; longer is an error row.
    notes : ScanNotes, optional
        Receives what no row says: how many files of the folders were passed over because of their names.

    Yields
    ------
    verdict : Verdict
        One for each file, in the order of the files. A file that cannot be judged has the verdict ``error``.

    Raises
    ------
    ArtifactError
        If the model cannot be loaded.
    MismatchError
        If the model does not support `fpr`; once rows are read, if there is nothing to scan.
    ParameterError
        If an argument is outside its domain.
    SpectellError
        If a worker cannot start.

    Notes
    -----
    Closing the generator, or leaving it to be collected, ends the workers. Where processes cannot be forked (macOS,
    Windows, a program with threads or with torch loaded) a script must call this below ``if __name__ == "__main__":``.

    Examples
    --------
    >>> import spectell
    >>> [row.verdict for row in spectell.scan("no-such-file.jpg")]  # doctest: +SKIP
    ['error']
    """
    job = _Job.prepare(model, fpr, thorough, workers, max_pixels, timeout)
    return job.judge(walk(as_paths(paths), notes=notes))


def scan_to_file(
    paths: PathLike | Iterable[PathLike | Pending],
    output: str | os.PathLike[str],
    *,
    resume: bool = False,
    overwrite: bool = False,
    finished: Counter[str] | None = None,
    notes: ScanNotes | None = None,
    **options: Unpack[ScanOptions],
) -> Generator[Verdict, None, None]:
    """Judge images and write each row before it is handed out.

    Parameters
    ----------
    paths : path or iterable of paths
    output : path
        ``.jsonl``, ``.csv`` or ``.parquet``. ``NAME.run.json`` beside it records what the rows depend on.
    resume : bool
        Go on with an output that was interrupted. Rows that it has are compared with the files, and not judged again.
    overwrite : bool
        Replace an existing output, which is refused otherwise, as soon as there is something to judge.
    finished : Counter, optional
        Receives the verdicts of the rows that were there already.
    notes : ScanNotes, optional
        As for `scan`; also receives how many of those rows are of files that have changed since.
    **options
        As for `scan`.

    Yields
    ------
    verdict : Verdict
        The rows that this run added.

    Raises
    ------
    MismatchError
        If the output exists, or cannot be resumed; and as `scan`.
    ParameterError
        If the output's suffix is none of these, or `resume` and `overwrite` are both given; and as `scan`.
    SpectellError
        If the output cannot be written. Its rows stay whole.

    Notes
    -----
    As `scan`: a script may have to call this below ``if __name__ == "__main__":``.
    """
    job = _Job.prepare(**options)
    sink = Output(output, job.record(), resume=resume, overwrite=overwrite, finished=finished, notes=notes)
    return _write(sink, job.judge(sink.remaining(walk(as_paths(paths), notes=notes))))


def _write(output: Output, verdicts: Generator[Verdict, None, None]) -> Generator[Verdict, None, None]:
    with output, closing(verdicts):
        for verdict in verdicts:
            output.write(verdict)
            yield verdict
        output.finish()


@dataclass(frozen=True, slots=True)
class _Job:
    """The arguments of a scan, checked."""

    model: Model
    fpr: float
    thorough: bool
    workers: int
    limits: Limits

    @classmethod
    def prepare(
        cls,
        model: Model | str | os.PathLike[str] | None = None,
        fpr: float = DEFAULT_FPR,
        thorough: bool = False,
        workers: int | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> _Job:
        loaded = load_model(model) if model is None or isinstance(model, str | os.PathLike) else model
        loaded.thresholds.at(fpr)
        limits = Limits(max_pixels, timeout)
        workers = available_cores() if workers is None else workers
        check_limits(workers, timeout)
        return cls(loaded, fpr, thorough, workers, limits)

    def record(self) -> dict[str, Any]:
        """Everything that a row depends on, apart from the file."""
        from importlib.metadata import version

        return {
            "spectell": version("spectell"),
            "model": self.model.name,
            "model_sha256": hashlib.sha256(self.model.card.as_text().encode()).hexdigest(),
            "fpr": self.fpr,
            "thorough": self.thorough,
            "max_pixels": self.limits.max_pixels,
        }

    def judge(self, items: Iterable[str | Unreadable | Pending]) -> Generator[Verdict, None, None]:
        limits: dict[str, Any] = {"timeout": self.limits.timeout, "memory": self.limits.memory}
        return self._verdicts(isolated_map(self._answer, items, workers=self.workers, **limits))

    def _verdicts(self, answers: Generator[Answer, None, None]) -> Generator[Verdict, None, None]:
        with closing(answers):
            for item, result in answers:
                path = item.path if isinstance(item, Unreadable) else item
                if isinstance(result, Failure):
                    result = _failed(f"cannot judge {describe_path(path)}: {result.reason}")
                verdict, probability, score, *rest = result
                yield Verdict(path, verdict, probability, score, self.fpr, self.model.name, *rest)

    def _answer(self, item: str | Unreadable, gate: Gate) -> tuple[Any, ...]:
        """Judge one file in a worker; the row without what the parent knows, as tuples travel fastest."""
        if isinstance(item, Unreadable):
            return _failed(item.reason)
        try:
            image = read_image(item, max_pixels=self.limits.max_pixels, large_gate=gate)
            judged = judge(image, self.model, fpr=self.fpr, thorough=self.thorough)
        except ImageError as error:
            return _failed(str(error))
        except SpectellError as error:
            return _failed(f"cannot judge {describe_path(item)}: {error}")
        facts = image.facts
        found = (judged.verdict, judged.probability, judged.score)
        described = (facts.width, facts.height, facts.format, facts.jpeg_quality)
        return *found, *described, judged.warnings, None, judged.generator


def _failed(reason: str) -> tuple[Any, ...]:
    return "error", None, None, None, None, None, None, (), reason
