"""Files of a study: sums that can be gone on with or merged, and ``.npz`` files too large to be held in memory.

An ``.npz`` file is written array by array, without pickle, with no time in it: equal studies give equal bytes. Its
entry ``metadata`` is a text in JSON that holds whatever is not an array.
"""

from __future__ import annotations

import json
import os
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from spectell.datasets.atomic import replacing
from spectell.errors import ArtifactError
from spectell.spectra import SpectrumStatistics
from spectell.workflows.mean_spectra.sketch import Sketch
from spectell.workflows.mean_spectra.sums import SetSums, Tally

__all__ = ["FORMAT_VERSION", "ArrayFile", "Progress", "load_progress", "load_sums", "open_result", "save_progress"]
__all__ += ["sums_arrays", "sums_metadata", "write_arrays"]

FORMAT_VERSION = 1

Array = npt.NDArray[Any]


def write_arrays(file: BinaryIO, arrays: Iterable[tuple[str, Array]], metadata: Mapping[str, Any]) -> None:
    """Write an ``.npz`` file, holding one array at a time.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> write_arrays(file, [("a/mean", np.arange(3))], {"sets": []})
    >>> with np.load(io.BytesIO(file.getvalue())) as loaded:
    ...     loaded["a/mean"].tolist(), str(loaded["metadata"])
    ([0, 1, 2], '{"sets": []}')
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays:
            _write_array(archive, name, array)
        _write_array(archive, "metadata", np.array(json.dumps(metadata, allow_nan=False)))


def _write_array(archive: zipfile.ZipFile, name: str, array: Array) -> None:
    # A ZipInfo has the year 1980 unless it is told the time.
    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
        np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


class ArrayFile(Mapping[str, Array]):
    """Arrays of an ``.npz`` file, read anew whenever they are asked for.

    Parameters
    ----------
    path : path

    Raises
    ------
    ArtifactError
        If the file cannot be read or is not what a study wrote; at an access, if another run has replaced it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            with self.path.open("rb") as opened, zipfile.ZipFile(opened) as archive:
                self._version = _version(opened)
                # Kept, since the directory of a thousand sets takes longer to read than any of their arrays.
                self._members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
                self.metadata: dict[str, Any] = json.loads(str(_read_member(opened, self._members.pop("metadata"))))
        except (OSError, ValueError, KeyError, RecursionError, EOFError, struct.error, zipfile.BadZipFile) as error:
            reason = getattr(error, "strerror", None) or "it is not a file that spectell spectrum wrote"
            raise ArtifactError(f"cannot read {os.fspath(path)!r}: {reason}") from error
        if self.metadata.get("format") != FORMAT_VERSION:
            raise ArtifactError(
                f"cannot read {os.fspath(path)!r}: its format is {self.metadata.get('format')!r}, this version of "
                f"spectell reads {FORMAT_VERSION}; write it again"
            )

    def __getitem__(self, name: str) -> Array:
        member = self._members[name]
        try:
            with self.path.open("rb") as opened:
                if _version(opened) == self._version:
                    return _read_member(opened, member)
        except (OSError, ValueError, EOFError, struct.error, zipfile.BadZipFile) as error:
            raise ArtifactError(f"cannot read {name!r} in {os.fspath(self.path)!r}: {error}") from error
        raise ArtifactError(f"another run has replaced {os.fspath(self.path)!r} while it was read; begin anew")

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def open_result(path: str | os.PathLike[str]) -> ArrayFile:
    """Open what a whole run wrote.

    Raises
    ------
    ArtifactError
        If the file cannot be read, or is something else, such as unfinished work.
    """
    file = ArrayFile(path)
    if not file.metadata.keys() >= {"sets", "settings", "lossless"}:
        raise ArtifactError(f"cannot read {os.fspath(path)!r}: it is unfinished work, not a result; name a spectra.npz")
    return file


def _read_member(file: BinaryIO, member: zipfile.ZipInfo) -> Array:
    """Read an array of an open archive, whose checksum is compared."""
    file.seek(member.header_offset + 26)
    file.seek(sum(struct.unpack("<HH", file.read(4))), os.SEEK_CUR)  # past a name and what else the header says
    with zipfile.ZipExtFile(file, "r", member) as opened:
        array: Array = np.lib.format.read_array(opened, allow_pickle=False)
        opened.read()  # to the end, where the checksum is compared
        return array


def _version(file: BinaryIO) -> tuple[int, ...]:
    """Return what differs where a file of one name is another one."""
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def sums_metadata(sums: SetSums) -> dict[str, Any]:
    """Return what `sums_arrays` leaves out, ready for JSON."""
    return {
        "source": sums.source,
        "generator": sums.generator,
        "identities": sums.identities,
        "tally": sums.tally.as_dict(),
        "counts": {key: statistics.count for key, statistics in sums.spectra.items()},
        "histograms": list(sums.histograms),
    }


def sums_arrays(sums: SetSums, prefix: str, *, exact: bool = False) -> Iterator[tuple[str, Array]]:
    """Yield the arrays of a set with their names.

    Parameters
    ----------
    sums : SetSums
    prefix : str
        What the names begin with.
    exact : bool
        Write sums of squared deviations, with which a run goes on to the last bit, instead of variances, which people
        understand.
    """
    for key, statistics in sums.spectra.items():
        yield f"{prefix}/{key}/mean", statistics.mean
        if exact:
            yield f"{prefix}/{key}/squared_deviation", statistics.state()["squared_deviation"]
        else:
            single = statistics.count < 2
            yield f"{prefix}/{key}/variance", np.zeros(statistics.shape) if single else statistics.variance(ddof=1)
    for key, counts in sums.histograms.items():
        yield f"{prefix}/{key}/histogram", counts
    yield f"{prefix}/sketch", sums.sketch.as_array()


def load_sums(file: ArrayFile, entry: Mapping[str, Any], prefix: str) -> SetSums:
    """Read what `sums_metadata` and `sums_arrays` gave of a set.

    Raises
    ------
    ArtifactError
        If something is missing or contradicts itself.
    """
    try:
        spectra = {}
        for key, count in entry["counts"].items():
            name = f"{prefix}/{key}"
            if f"{name}/variance" in file:
                squared = file[f"{name}/variance"] * (count - 1)
            else:
                squared = file[f"{name}/squared_deviation"]
            state = {"count": count, "mean": file[f"{name}/mean"], "squared_deviation": squared}
            spectra[key] = SpectrumStatistics.from_state(state)
        histograms = {key: file[f"{prefix}/{key}/histogram"] for key in entry["histograms"]}
        tally = Tally.from_dict(entry["tally"])
        # Results of earlier versions have none.
        sketch = Sketch(file[f"{prefix}/sketch"].tolist() if f"{prefix}/sketch" in file else ())
        about = entry["source"], entry["generator"], list(entry["identities"])
        return SetSums(*about, tally, spectra, histograms, sketch)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"cannot read {os.fspath(file.path)!r}: it is damaged ({error})") from error


class Progress(NamedTuple):
    """How far the work on a set has come."""

    sums: SetSums
    done: int
    """Batches that are in the sums."""


def save_progress(path: Path, progress: Progress, identity: str) -> None:
    """Write how far the work on a set has come, whole or not at all."""
    metadata = {
        "format": FORMAT_VERSION,
        "identity": identity,
        "done": progress.done,
        "set": sums_metadata(progress.sums),
    }
    with replacing(path) as file:
        write_arrays(file, sums_arrays(progress.sums, "set", exact=True), metadata)


def load_progress(path: Path, identity: str | None) -> Progress | None:
    """Read what `save_progress` wrote; None where there is nothing, or other files or settings were meant."""
    if not path.exists():
        return None
    try:
        file = ArrayFile(path)
        if identity is not None and file.metadata.get("identity") != identity:
            return None
        return Progress(load_sums(file, file.metadata["set"], "set"), int(file.metadata["done"]))
    except (ArtifactError, KeyError):
        return None
