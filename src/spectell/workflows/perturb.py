"""A perturbed copy of a data set, with the record of every draw.

What is drawn for a picture depends on the seed and its path in the data set alone, so that pictures that are added
change nothing else, and a photograph and its counterpart of the same name in another class get different draws.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from spectell.datasets import Manifest, read_dataset
from spectell.datasets.columns import encode_text
from spectell.datasets.places import require_apart
from spectell.errors import ManifestError, MismatchError, ParameterError
from spectell.perturbations import (
    PERTURBATIONS,
    PRESETS,
    EncodedFile,
    Perturbation,
    Pixels,
    Sometimes,
    get_perturbation,
    get_preset,
    result_file,
)
from spectell.perturbations.base import check_range
from spectell.workflows.copies.picture_copies import Copies, make_copies, plain_folder
from spectell.workflows.copies.run_record import read_record
from spectell.workflows.reading.image_files import Skipped
from spectell.workflows.reading.image_passes import Progress, quiet

__all__ = ["COMBINED", "NAMES", "RECORD_KIND", "PerturbConfig", "draw_stream", "perturb_images", "replayed_config"]

RECORD_KIND = "spectell-perturbation-1"

PAPER = "frank2020"
COMBINED = "combined"

NAMES = (*sorted({*PERTURBATIONS, COMBINED}),)
"""What `perturb_images` can do."""

_PAIRS = frozenset({"quality", "sigma", "share", "scale"})
_LISTS = {"kernel_size": "kernel_sizes", "kernel": "kernels", "subsampling": "subsamplings", "ratio": "ratios"}


@dataclass(frozen=True, slots=True)
class PerturbConfig:
    """What becomes of every picture.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    preset : str, optional
        One of `spectell.perturbations.PRESETS`: the perturbation with its published parameters and probability.
    probability : float in [0, 1], optional
        Chance that a picture is changed, or for ``combined`` chance of each step; that of the preset by default, else
        1, but one half for ``combined``.
    options : mapping
        The perturbation's parameters. ``quality``, ``sigma``, ``share``, ``scale`` and, for noise, ``variance`` are
        pairs of bounds; ``kernel_size``, ``kernel``, ``subsampling`` and ``ratio`` are lists of which one is drawn; the
        others have the names of the perturbation's fields. Without any, the four of the paper have its parameters. A
        picture that is smaller than a ``window`` is left out, unless ``strict`` is False.
    seed : int >= 0
    lossless : bool
        PNG files always, instead of the perturbation's own where it is a file format.

    Raises
    ------
    ParameterError
        If nothing has that name, or an option does not fit it.

    Examples
    --------
    >>> PerturbConfig("webp", options={"quality": (70, 90)}).perturbation
    WebpRecompression(min_quality=70, max_quality=90, method=4)
    >>> PerturbConfig("crop", preset="frank2020", probability=0.25).perturbation.probability
    0.25
    """

    name: str
    preset: str | None = None
    probability: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    lossless: bool = False

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ParameterError(f"seed must not be negative, got {self.seed}")
        _ = self.perturbation

    @property
    def perturbation(self) -> Perturbation:
        """What is drawn from and applied."""
        preset = PAPER if self.preset is None and self.name == COMBINED else self.preset
        if preset is not None:
            if self.options:
                raise ParameterError(
                    f"{', '.join(self.options)} must not be given for {self.name!r} of the preset {preset!r}, whose "
                    "parameters are published; leave the preset out, or the options"
                )
            published: Any = get_preset(preset, self.name)
            changed = {} if self.probability is None else {"probability": self.probability}
            perturbation: Perturbation = dataclasses.replace(published, **changed)
            return perturbation
        step = _step(self.name, self.options)
        return step if self.probability is None else Sometimes(step, self.probability)

    def settings(self) -> dict[str, Any]:
        """Return what a record says of it; `replayed_config` is the inverse."""
        return {**dataclasses.asdict(self), "options": dict(self.options)}


def perturb_images(
    data: str | os.PathLike[str],
    output: str | os.PathLike[str],
    config: PerturbConfig,
    *,
    replay: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    resume: bool = False,
    on_progress: Progress = quiet,
) -> Copies:
    """Write a perturbed copy of every image.

    Parameters
    ----------
    data : path
        A data set as for `spectell.datasets.read_dataset`, or a folder of images without sub-folders, of which no
        manifest is written.
    output : path
        Folder for the copies, ``manifest.csv`` and ``record.jsonl``.
    config : PerturbConfig
    replay : path, optional
        A record whose draws are applied again instead of drawing; `config` must be that of the record
        (`replayed_config`).
    workers, resume, on_progress
        See `spectell.workflows.copies.picture_copies.make_copies`.

    Returns
    -------
    copies : Copies

    Raises
    ------
    ManifestError
        If `data` cannot be read, or something cannot be written.
    ParameterError
        If `output` is not empty and `resume` is not set, or the record does not fit.

    Notes
    -----
    Where processes cannot be forked (macOS, Windows, a program with threads or with torch loaded) a script must call
    this below ``if __name__ == "__main__":``.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "set/real").mkdir(parents=True)
    ...     Image.new("RGB", (40, 32), "teal").save(f"{folder}/set/real/a.png")
    ...     copies = perturb_images(f"{folder}/set", f"{folder}/out", PerturbConfig("jpeg"), workers=1)
    >>> [(entry.path, entry.group) for entry in copies.manifest], copies.changed
    ([('real/a.jpg', 'set/a')], 1)
    """
    require_apart(data, output)
    images, classified = _images(data)
    missing: list[Skipped] = []
    rows = None
    if replay is not None:
        rows = _replayed_rows(replay)
        missing = [Skipped(path, "the record has no draw for it") for path in images.paths if path not in rows]
        images = images.select(np.array([path in rows for path in images.paths], dtype=bool))
        if not len(images):
            raise MismatchError(f"the record {os.fspath(replay)!r} names none of the images of {os.fspath(data)!r}")
    copies = make_copies(
        images,
        output,
        partial(_perturbed, config=config),
        kind=RECORD_KIND,
        settings={**config.settings(), "data": os.path.abspath(images.root)},  # noqa: PTH100 - links stay as they are
        replay=rows,
        workers=workers,
        resume=resume,
        on_progress=on_progress,
        with_manifest=classified,
    )
    return dataclasses.replace(copies, skipped=(*missing, *copies.skipped))


def replayed_config(record: str | os.PathLike[str], name: str) -> PerturbConfig:
    """Read what a recorded run was.

    Raises
    ------
    ParameterError
        If it cannot be read, or is of another perturbation than `name`.
    """
    settings, _ = read_record(record, RECORD_KIND)
    try:
        known = {each.name: settings[each.name] for each in dataclasses.fields(PerturbConfig)}
    except KeyError as error:
        raise MismatchError(f"the record {os.fspath(record)!r} does not say its {error.args[0]}") from None
    if known["name"] != name:
        raise MismatchError(f"the record {os.fspath(record)!r} is of {known['name']!r}, not of {name!r}")
    return PerturbConfig(**known)


def _images(data: str | os.PathLike[str]) -> tuple[Manifest, bool]:
    """List the images, and say whether their classes are known."""
    try:
        return read_dataset(data, require_real=False), True
    except ManifestError:
        place = Path(data)
        if not place.is_dir() or any(each.is_dir() and not each.name.startswith(".") for each in place.iterdir()):
            raise
        return plain_folder(place), False


def _replayed_rows(record: str | os.PathLike[str]) -> dict[str, dict[str, Any]]:
    _, rows = read_record(record, RECORD_KIND)
    found: dict[str, dict[str, Any]] = {}
    try:
        for row in rows:
            found.pop(row["path"], None)
            if "error" not in row:
                found[row["path"]] = {"parameters": row["parameters"], "sha256": row["sha256"]}
    except KeyError as error:
        raise MismatchError(f"a line of {os.fspath(record)!r} does not say its {error.args[0]}") from None
    return found


def _perturbed(
    path: str, pixels: Pixels, replayed: tuple[Any] | None, *, config: PerturbConfig
) -> tuple[EncodedFile, Any]:
    perturbation = config.perturbation
    parameters = perturbation.draw(draw_stream(config.seed, path), pixels.shape) if replayed is None else replayed[0]
    return result_file(perturbation, pixels, parameters, lossless=config.lossless), parameters


def draw_stream(seed: int, path: str) -> np.random.Generator:
    """Return the random numbers of one picture: those of a seed and of its path in the data set."""
    digest = hashlib.blake2b(encode_text(path), digest_size=8).digest()
    return np.random.default_rng((seed, int.from_bytes(digest, "big")))


def _step(name: str, options: Mapping[str, Any]) -> Perturbation:
    if not options and name in PRESETS[PAPER]:
        published: Any = get_preset(PAPER, name)
        paper: Perturbation = published.perturbation
        return paper
    if name not in NAMES:
        raise ParameterError(f"unknown perturbation {name!r}; choose one of {', '.join(NAMES)}")
    return get_perturbation(name, **_fields(name, options))


def _fields(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Turn options into the arguments of a perturbation's constructor."""
    fields: dict[str, Any] = {}
    known = PERTURBATIONS[name].__dataclass_fields__
    for option, value in options.items():
        if option == "variance" and name == "noise":
            if "sigma" in options:
                raise ParameterError("sigma and variance say the same of noise; give one of them")
            check_range("variance", *value, within=(0.0, 255.0**2))
            low, high = (bound**0.5 for bound in value)
            fields |= {"min_sigma": low, "max_sigma": high, "uniform_in": "variance"}
        elif option in _PAIRS and f"min_{option}" in known:
            fields |= {f"min_{option}": value[0], f"max_{option}": value[1]}
        elif _LISTS.get(option) in known:
            fields[_LISTS[option]] = tuple(value)
        elif option in known:
            fields[option] = value[0] if option == "kernel" else value
        else:
            raise ParameterError(f"perturbation {name!r} has no option {option!r}; see spectell perturb --help")
    if name == "window":
        fields = {"strict": True} | fields  # who asks for pictures of one size must not get others among them
    if name == "blur" and "kernel_sizes" in fields and "min_sigma" not in fields:
        fields |= {"min_sigma": None, "max_sigma": None}  # as in the paper, which states sizes alone
    return fields
