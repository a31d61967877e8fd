import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectell.images.formats import FORMATS, LOSSLESS, LOSSY, canvas_pixels, identify
from spectell.images.sources import Refused


@pytest.mark.parametrize(
    ("major", "compatible", "name"),
    [
        (b"avif", [b"mif1"], "AVIF"),
        (b"avis", [b"msf1", b"avif"], "AVIF"),
        (b"mif1", [b"mif1", b"avif"], "AVIF"),
        (b"mif1", [b"mif1", b"heic"], "HEIF"),
        (b"heic", [b"mif1", b"heic"], "HEIF"),
        (b"heix", [b"mif1", b"avif"], "HEIF"),
    ],
)
def test_avif_and_heif_are_told_by_their_brands(major, compatible, name):
    box = b"ftyp" + major + bytes(4) + b"".join(compatible)
    assert identify((4 + len(box)).to_bytes(4, "big") + box + bytes(20)) == name


@pytest.mark.parametrize(
    "head", [b"", b"P6", b"P7\n", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypisom\0\0\0\0mp42", b"\x89PNG"]
)
def test_other_content_is_refused(head):
    with pytest.raises(Refused):
        identify(head)


@given(st.binary(max_size=256))
def test_any_bytes_are_identified_or_refused(head):
    try:
        outcome = identify(head)
    except Refused as refusal:
        outcome = str(refusal)
    assert outcome in FORMATS or outcome.endswith(("HEIF)", "empty"))


def test_a_format_is_lossless_or_lossy_or_may_be_either():
    assert not LOSSLESS & LOSSY
    assert FORMATS.keys() - LOSSLESS - LOSSY == {"WEBP", "GIF"}


def test_the_canvas_of_every_kind_of_webp_is_known(samples):
    for name in ("webp", "webp-lossy", "webp-animated"):
        assert canvas_pixels(samples[name][:256]) == 17 * 23
    assert canvas_pixels(samples["webp"][:29]) is None
    assert canvas_pixels(b"RIFF\0\0\0\0WEBPALPH" + bytes(20)) is None


def test_reading_a_jpeg_imports_no_other_format(tmp_path, samples):
    path = tmp_path / "a.jpg"
    path.write_bytes(samples["jpeg"])
    script = """
        import sys
        import spectell.images
        assert not [name for name in sys.modules if name.endswith("ImagePlugin")]
        spectell.images.read_image(sys.argv[1])
        plugins = sorted(name for name in sys.modules if name.endswith("ImagePlugin"))
        print(plugins, "pillow_heif" in sys.modules, "scipy" in sys.modules)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == "['PIL.JpegImagePlugin'] False False\n"
