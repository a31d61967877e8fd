"""Real images and their reconstructions: pairs that differ in nothing but a decoder's trace.

For every picture the original and each of its reconstructions are written, losslessly, after one and the same later
history, so that content, size, file format and compression say nothing about the class. Invariants: what is drawn for a
picture depends on the seed and its name alone; a picture's files are whole before the record names them; the manifest
appears when all is done. torch is imported by the networks, not here.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from spectell.datasets import Entry, Manifest, write_manifest
from spectell.datasets.atomic import remove_parts, replacing
from spectell.datasets.columns import encode_text
from spectell.datasets.entries import REAL
from spectell.datasets.places import require_apart
from spectell.errors import ImageError, MismatchError, ParameterError
from spectell.images import read_image
from spectell.workflows.copies.chosen_images import choose, output_names
from spectell.workflows.copies.pair_history import PairHistory, colourless
from spectell.workflows.copies.pair_record import PairRecord
from spectell.workflows.reading.image_files import Skipped
from spectell.workflows.reading.image_passes import Progress, in_threads, quiet

if TYPE_CHECKING:
    from spectell.generators.reconstruction import Reconstructor

__all__ = ["MANIFEST_NAME", "RECORD_NAME", "Reconstruction", "ReconstructionConfig", "reconstruct"]

MANIFEST_NAME = "manifest.csv"
RECORD_NAME = "record.jsonl"

_ALIGNMENT = 16
"""A crop starts at a multiple of this, so that the grid of a JPEG stays where an encoder puts it."""

Pixels = npt.NDArray[np.uint8]
StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class ReconstructionConfig:
    """What becomes of every picture.

    Parameters
    ----------
    weights : sequence of path
        Networks, each as for `spectell.generators.reconstruction.load_reconstructor`.
    simulate : bool
        Whether to pass the pictures through random shallow decoders too.
    before : str
        Perturbation that a picture meets before it is reconstructed; see `history`. Its result is the original.
    history : str
        What original and reconstruction meet afterwards. ``original``: the JPEG compression that the picture's file
        has, at its quality and chroma subsampling. ``none``. Or a perturbation, ``jpeg``, or one of a preset,
        ``frank2020/combined``, drawn once for each picture.
    crop : int >= 32, optional
        Native pixels of at most this height and width are cut from the middle first.
    limit : int > 0, optional
        So many pictures at most, chosen by the seed and their paths.
    seed : int >= 0

    Raises
    ------
    ParameterError
        If there is nothing that reconstructs, or a value is outside its range.
    """

    weights: Sequence[StrPath] = ()
    simulate: bool = False
    before: str = "none"
    history: str = "original"
    crop: int | None = None
    limit: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.weights and not self.simulate:
            raise ParameterError("nothing would be reconstructed; name a network (--weights) or set simulate")
        if self.crop is not None and self.crop < 32:
            raise ParameterError(f"crop must be at least 32 pixels, got {self.crop}")
        if self.limit is not None and self.limit < 1:
            raise ParameterError(f"limit must be at least 1, got {self.limit}")
        if self.seed < 0:
            raise ParameterError(f"seed must not be negative, got {self.seed}")


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """What `reconstruct` wrote.

    Attributes
    ----------
    manifest : Manifest
        Two rows or more for each picture, of one group: the original, called ``real``, and its reconstructions.
    pictures : int
        Originals among them.
    reused : int
        Of these, how many an earlier run had finished.
    skipped : tuple of Skipped
        Pictures that took no part, and why.
    """

    manifest: Manifest
    pictures: int
    reused: int
    skipped: tuple[Skipped, ...]

    @property
    def generators(self) -> tuple[str, ...]:
        """Names of what reconstructed."""
        return tuple(name for name in self.manifest.class_names if name != REAL)


def reconstruct(
    data: StrPath,
    output: StrPath,
    config: ReconstructionConfig,
    *,
    workers: int | None = None,
    resume: bool = False,
    on_progress: Progress = quiet,
) -> Reconstruction:
    """Write real images beside their reconstructions.

    Parameters
    ----------
    data : path
        A data set, of which the real images are taken, or any folder of images, which all count as real.
    output : path
        Folder for ``real/``, a folder for each generator, ``manifest.csv`` and ``record.jsonl`` (what was drawn for
        each picture).
    config : ReconstructionConfig
    workers : int, optional
        Threads, each with a picture of its own; one a core by default. The result does not depend on it.
    resume : bool
        Go on with what an interrupted run left in `output`.
    on_progress : callable, optional
        See `spectell.workflows.reading.image_set.Progress`.

    Returns
    -------
    made : Reconstruction

    Raises
    ------
    ManifestError
        If `data` holds no real images, or something cannot be written.
    ArtifactError
        If weights cannot be used.
    ParameterError
        If `output` lies in `data`, or is not empty and `resume` is not set, the earlier run had other settings, two
        networks have one name, or not one picture could be reconstructed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.mkdir(f"{folder}/album")
    ...     Image.new("RGB", (40, 32), "teal").save(f"{folder}/album/a.png")
    ...     made = reconstruct(f"{folder}/album", f"{folder}/pairs", ReconstructionConfig(simulate=True), workers=1)
    >>> [(entry.path, entry.group) for entry in made.manifest][0][0], len(set(made.manifest.group_names))
    ('real/a.png', 1)
    """
    from spectell.generators.reconstruction import use_one_thread
    from spectell.generators.training_images import list_photographs

    require_apart(data, output)
    folder = Path(output)
    pictures = list_photographs(data)
    names = output_names(pictures)
    rows = choose(pictures, config.limit, config.seed)
    makers = _load(config)
    work = _Work(pictures, names, folder, config, makers)  # refuses a wrong history before anything is written
    use_one_thread()
    record = PairRecord.open(folder / RECORD_NAME, _settings(config, makers, pictures), resume=resume)
    with record:
        _remove_parts(folder, names, [REAL, *makers])
        waiting = [row for row in rows if not record.has(names[row], folder, [REAL, *makers])]
        for row, made in zip(waiting, _run(work, waiting, workers, on_progress), strict=True):
            record.add(names[row], pictures.paths[row], made)
    manifest = _manifest(folder, pictures, names, rows, record.hashes)
    if not len(manifest):
        raise MismatchError(
            f"none of {len(rows)} pictures could be reconstructed; the first: {record.skipped[0].reason}"
        )
    write_manifest(manifest, folder / MANIFEST_NAME)
    done = int((manifest.labels == 0).sum())
    return Reconstruction(manifest, done, len(rows) - len(waiting), tuple(record.skipped))


def _load(config: ReconstructionConfig) -> dict[str, Reconstructor]:
    from spectell.generators.reconstruction import load_reconstructor, simulator

    made = [*map(load_reconstructor, config.weights), *([simulator()] if config.simulate else [])]
    named = {maker.name: maker for maker in made}
    if len(named) < len(made):
        names = ", ".join(maker.name for maker in made)
        raise MismatchError(f"every network must have a name of its own, got {names}; write them to separate folders")
    return named


def _settings(config: ReconstructionConfig, makers: Mapping[str, Reconstructor], pictures: Manifest) -> dict[str, Any]:
    """List what a resumed run must share; `limit` is left out, so that a run can be extended."""
    kept = {name: value for name, value in asdict(config).items() if name not in {"weights", "simulate", "limit"}}
    generators = {name: dict(maker.facts) for name, maker in makers.items()}
    return {**kept, "data": os.fspath(pictures.root), "generators": generators}


def _run(
    work: _Work, rows: Sequence[int], workers: int | None, on_progress: Progress
) -> Iterator[dict[str, Any] | Skipped]:
    yield from in_threads(work, rows, len(rows), workers, on_progress, "reconstructing")


class _Work:
    """One picture from its file to the files of the pair; called in threads."""

    def __init__(
        self,
        pictures: Manifest,
        names: Sequence[str],
        folder: Path,
        config: ReconstructionConfig,
        makers: Mapping[str, Reconstructor],
    ) -> None:
        self._pictures, self._names, self._folder, self._config, self._makers = pictures, names, folder, config, makers
        self._before, self._after = PairHistory(config.before), PairHistory(config.history)
        self._gate = threading.Lock()

    def __call__(self, row: int) -> dict[str, Any] | Skipped:
        try:
            return self._make(row)
        except (ImageError, ParameterError) as error:
            return Skipped(self._pictures.paths[row], str(error))

    def _make(self, row: int) -> dict[str, Any]:
        from spectell.generators.reconstruction import check_size

        name, config = self._names[row], self._config
        decoded = read_image(self._pictures.file(row), large_gate=self._gate)
        rng = partial(_stream, config.seed, name)
        original, early = self._before.meet(_cropped(decoded.pixels, config.crop), decoded.facts, rng("before"))
        check_size(original)
        images, drawn = {REAL: original}, {}
        for maker in self._makers.values():
            drawn[maker.name] = maker.draw(rng(maker.name))
            made = maker.apply(original, drawn[maker.name])
            # A picture without colour would be told from its reconstruction by that alone.
            images[maker.name] = colourless(made) if (original == original[..., :1]).all() else made
        late = self._after.draw(original, decoded.facts, rng("history"))
        hashes = {
            kind: _write(self._folder / kind / name, self._after.apply(image, late)) for kind, image in images.items()
        }
        return {"sha256": hashes, "before": early, "drawn": drawn, "history": late}


def _remove_parts(folder: Path, names: Sequence[str], kinds: Sequence[str]) -> None:
    """Remove what an earlier run that was killed left beside the names that are written."""
    written: dict[Path, set[str]] = {}
    for name in names:
        place = Path(name)
        written.setdefault(place.parent, set()).add(place.name)
    for kind in kinds:
        for parent, files in written.items():
            remove_parts(folder / kind / parent, files.__contains__)
    remove_parts(folder, {MANIFEST_NAME}.__contains__)


def _stream(seed: int, name: str, purpose: str) -> np.random.Generator:
    digest = hashlib.blake2b(b"%b\0%b" % (encode_text(name), purpose.encode()), digest_size=8).digest()
    return np.random.default_rng((seed, int.from_bytes(digest, "big")))


def _cropped(pixels: Pixels, crop: int | None) -> Pixels:
    if crop is None:
        return pixels
    height, width = pixels.shape[:2]
    top, left = (max(side - crop, 0) // 2 // _ALIGNMENT * _ALIGNMENT for side in (height, width))
    return np.ascontiguousarray(pixels[top : top + crop, left : left + crop])


def _write(path: Path, pixels: Pixels) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    with replacing(path) as file:
        file.write(buffer.getbuffer())
    return hashlib.sha256(buffer.getbuffer()).hexdigest()


def _manifest(
    folder: Path, pictures: Manifest, names: Sequence[str], rows: Sequence[int], hashes: Mapping[str, Mapping[str, str]]
) -> Manifest:
    def entries() -> Iterator[Entry]:
        for row in rows:
            entry = pictures[row]
            for kind, digest in hashes.get(names[row], {}).items():
                yield Entry(
                    f"{kind}/{names[row]}", int(kind != REAL), kind, entry.source, entry.group, entry.split, digest
                )

    return Manifest(entries(), folder, pictures.notes)
