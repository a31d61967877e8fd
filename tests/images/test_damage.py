"""Whatever is done to a file, it is read or refused with one line: no other exception, no word on the terminal."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectell.errors import ImageError
from spectell.images import read_image

MAX_PIXELS = 1_000_000  # a damaged header may declare more: that is refused, and the suite stays fast

edits = st.lists(
    st.tuples(
        st.sampled_from(["set", "set near the start", "cut", "insert"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=8),
    ),
    max_size=6,
)


def damage(content: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    damaged = bytearray(content)
    for kind, where, replacement in changes:
        at = int(where * (min(len(damaged), 200) if kind == "set near the start" else len(damaged)))
        if kind == "cut":
            del damaged[at : at + 5 * replacement[0]]
        elif kind == "insert":
            damaged[at:at] = replacement
        else:
            damaged[at : at + len(replacement)] = replacement
    return bytes(damaged)


def read_or_refuse(content: bytes) -> None:
    reason = "it was read"
    try:
        image = read_image(content, max_pixels=MAX_PIXELS)
        assert image.pixels.shape == (image.facts.height, image.facts.width, 3)
        assert image.pixels.dtype == np.uint8
    except ImageError as error:
        reason = str(error)
    assert reason.isprintable()


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes=edits, keep=st.floats(0.0, 1.0))
def test_a_damaged_file_is_read_or_refused(sample, capfd, changes, keep):
    content = damage(sample[1], changes)
    for bad in (content, content[: int(keep * len(content))]):
        read_or_refuse(bad)
    assert capfd.readouterr() == ("", "")


signatures = [
    b"",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"BM",
    b"P6 ",
    b"P3 ",
]
signatures += [b"RIFF\x40\0\0\0WEBPVP8X", b"\0\0\0\x18ftypavif", b"\0\0\0\x18ftypheic"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(signatures), st.binary(max_size=200))
def test_noise_after_a_signature_is_read_or_refused(signature, noise):
    read_or_refuse(signature + noise)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "gif", "tiff-lzw", "bmp", "ppm"])
def test_every_prefix_is_read_or_refused(samples, name):
    content = samples[name]
    for keep in range(0, len(content), 7):
        try:
            read_image(content[:keep])
        except ImageError:
            continue
        assert keep > len(content) // 2, "half of a file cannot hold all its pixels"
