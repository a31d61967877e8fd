"""What turns a photograph into an aligned fake: the networks of this room behind one call, told apart by their files.

A `Reconstructor` returns a picture of exactly the size that it was given. Which network a file of weights belongs to
follows from its card or the names and shapes of its tensors, never from its name. Importing this module needs no
torch; loading weights does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ArtifactError, ParameterError
from spectell.generators.tiles import apply_in_tiles
from spectell.generators.traces import TraceSimulator

if TYPE_CHECKING:
    import os

__all__ = ["MAX_PIXELS", "MIN_SIDE", "Reconstructor", "check_size", "load_reconstructor", "simulator", "use_one_thread"]

PixelArray = npt.NDArray[np.uint8]

MIN_SIDE = 32
"""Pixels: smaller pictures are refused, since no detector here looks at them."""
MAX_PIXELS = 20_000_000
"""Pixels (height times width) above which a picture is refused: it would take minutes."""

_TILE = 384
_NETWORK_MARGIN = 128
_SRGAN_REACH = 24
"""Pixels of the reduced picture that a super-resolution network looks at on either side, with those of the filter."""


@dataclass(frozen=True, slots=True)
class Reconstructor:
    """A network, or the simulator, that gives a photograph the traces of a generator.

    Parameters
    ----------
    name : str
        What manifests call the generator.
    facts : dict
        What a record says about it; can be written to JSON.
    draw : callable
        From a generator of random numbers to the parameters of one picture, which can be written to JSON; None where
        there is nothing to draw.
    apply : callable
        From an image (H, W, 3), uint8, and the parameters to an image of the same size.

    Examples
    --------
    >>> made = simulator()
    >>> picture = np.full((33, 40, 3), 128, np.uint8)
    >>> made.name, made.apply(picture, made.draw(np.random.default_rng(0))).shape
    ('simulated', (33, 40, 3))
    """

    name: str
    facts: Mapping[str, Any]
    draw: Callable[[np.random.Generator], Any]
    apply: Callable[[PixelArray, Any], PixelArray]


def simulator(settings: TraceSimulator | None = None) -> Reconstructor:
    """Return random shallow decoders, another one for every picture, that need no weights and no torch.

    Parameters
    ----------
    settings : TraceSimulator, optional

    Returns
    -------
    reconstructor : Reconstructor
        Called ``simulated``.
    """
    made = settings or TraceSimulator()
    facts = {"kind": "simulated", "max_stages": made.max_stages, "max_mismatch": made.max_mismatch}
    return Reconstructor("simulated", {**facts, "max_detail": made.max_detail}, made.draw, made.apply)


def load_reconstructor(path: str | os.PathLike[str]) -> Reconstructor:
    """Load whatever network a file of weights belongs to.

    Parameters
    ----------
    path : path
        An autoencoder trained here, as its file or the folder of its training; either file of TAEF2, whose other half
        must lie in the same folder; or a file of SRGAN.

    Returns
    -------
    reconstructor : Reconstructor
        Called ``autoencoder-<upsampling>``, ``taef2`` or ``srgan-x<factor>``.

    Raises
    ------
    ArtifactError
        If the file cannot be read, belongs to no network that is known here, or the other half is missing.

    Notes
    -----
    Pictures of more than 640 x 640 pixels are done in tiles of 384, with margins of 128 pixels (SRGAN: 24 pixels of the
    reduced picture). That gives what the whole picture would, except with TAEF2, some of whose layers use statistics
    of the whole picture: there the tiles have statistics of their own.
    """
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ArtifactError("weights need PyTorch, which is not installed; pip install 'spectell[torch]'") from error
    file = _file_of(Path(path))
    shapes = _shapes(file)
    if "block1.0.weight" in shapes:
        return _srgan(file)
    if shapes.get("0.weight") == (64, 3, 3, 3) or shapes.get("1.weight") == (64, 32, 3, 3):
        return _taef2(file, is_encoder="0.weight" in shapes)
    return _own(file)


def use_one_thread() -> None:
    """Let each network use one core, for callers that run several in threads; the result does not depend on it then.

    Where torch is not loaded there is nothing to do.
    """
    import sys

    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def _own(file: Path) -> Reconstructor:
    from spectell.generators.small_autoencoder import FACTOR, RADIUS, load_autoencoder, read_autoencoder_card
    from spectell.generators.tensors import run_in_batches

    if read_autoencoder_card(file) is None:
        raise ArtifactError(
            f"{str(file)!r} holds weights of no network that is known here; give an autoencoder trained by `spectell "
            "generate train --loss autoencoder`, TAEF2, or SRGAN"
        )
    network, card = load_autoencoder(file)

    def apply(image: PixelArray, _: Any) -> PixelArray:
        def run(part: PixelArray) -> PixelArray:
            return np.asarray(run_in_batches(network, part[np.newaxis])[0])

        return apply_in_tiles(run, image, multiple=FACTOR, margin=RADIUS, tile=2 * _TILE)

    told = ("upsampling", "size", "psnr", "configuration")
    kept: dict[str, Any] = {name: card[name] for name in told if name in card}
    return Reconstructor(
        f"autoencoder-{card['upsampling']}", {"kind": "autoencoder", **kept, **_hashes(file)}, _nothing, apply
    )


def _taef2(file: Path, *, is_encoder: bool) -> Reconstructor:
    from spectell.generators.autoencoder import load_taef2

    wanted = ("1.weight", (64, 32, 3, 3)) if is_encoder else ("0.weight", (64, 3, 3, 3))
    others = [other for other in sorted(file.parent.glob("*.safetensors")) if other != file]
    halves = [other for other in others if _has(other, *wanted)]
    if len(halves) != 1:
        missing = "decoder" if is_encoder else "encoder"
        raise ArtifactError(
            f"{str(file)!r} is one half of TAEF2; its folder must hold exactly one {missing}, found {len(halves)}"
        )
    encoder, decoder = (file, halves[0]) if is_encoder else (halves[0], file)
    network = load_taef2(encoder, decoder)

    def apply(image: PixelArray, _: Any) -> PixelArray:
        def run(part: PixelArray) -> PixelArray:
            return np.asarray(network.reconstruct(part[np.newaxis])[0])

        return apply_in_tiles(run, image, multiple=8, margin=_NETWORK_MARGIN, tile=_TILE)

    return Reconstructor("taef2", {"kind": "taef2", **_hashes(encoder, decoder)}, _nothing, apply)


def _srgan(file: Path) -> Reconstructor:
    from spectell.generators.superresolution import load_srgan

    network = load_srgan(file)

    def apply(image: PixelArray, _: Any) -> PixelArray:
        def run(part: PixelArray) -> PixelArray:
            return np.asarray(network.reconstruct(part[np.newaxis])[0])

        return apply_in_tiles(
            run, image, multiple=network.scale, margin=_SRGAN_REACH * network.scale, tile=_TILE // 8 * 8
        )

    facts = {"kind": "srgan", "scale": network.scale, **_hashes(file)}
    return Reconstructor(f"srgan-x{network.scale}", facts, _nothing, apply)


def _nothing(_: np.random.Generator) -> None:
    return None


def _file_of(path: Path) -> Path:
    """Return the file itself, or the one in a folder: our own, or the only kind that lies there."""
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.safetensors"))
    own = [file for file in found if file.name == "autoencoder.safetensors"]
    halves = [file for file in found if _has(file, "0.weight", (64, 3, 3, 3))]
    chosen = own or (found if len(found) == 1 else halves if len(found) == 2 else [])
    if len(chosen) != 1:
        raise ArtifactError(
            f"the folder {str(path)!r} must hold one network, found {len(found)} safetensors files; name one of them"
        )
    return chosen[0]


def _has(file: Path, name: str, shape: tuple[int, ...]) -> bool:
    try:
        return _shapes(file).get(name) == shape
    except ArtifactError:
        return False


def _shapes(file: Path) -> dict[str, tuple[int, ...]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as opened:
            return {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ArtifactError(f"cannot read weights from {str(file)!r}: {error}") from error


def _hashes(*files: Path) -> dict[str, Any]:
    return {"sha256": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}}


def check_size(image: PixelArray) -> None:
    """Refuse pictures that are too small or too large.

    Raises
    ------
    ParameterError
        The message says which limit.

    Examples
    --------
    >>> check_size(np.zeros((31, 400, 3), np.uint8))
    Traceback (most recent call last):
    spectell.errors.ParameterError: it has 31 x 400 pixels; both sides must be at least 32
    """
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise ParameterError(f"it has {height} x {width} pixels; both sides must be at least {MIN_SIDE}")
    if height * width > MAX_PIXELS:
        raise ParameterError(f"it has {height * width:,} pixels, more than {MAX_PIXELS:,}; cut it with crop= (--crop)")
