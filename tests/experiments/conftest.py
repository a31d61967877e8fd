import numpy as np
import pytest
from PIL import Image


def _pictures(rng, number, size=32):
    """Noise with a falling spectrum, as photographs have it."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    frequency[0, 0] = 1 / size
    spectrum = np.fft.rfft2(rng.normal(size=(number, 3, size, size))) / frequency
    planes = np.fft.irfft2(spectrum, s=(size, size))
    planes *= 40 / planes.std(axis=(2, 3), keepdims=True)
    return (128 + planes).clip(0, 255).transpose(0, 2, 3, 1)


@pytest.fixture
def three_sources(tmp_path, rng):
    """A data set of real pictures, and of two generators that leave a checkerboard or stripes."""
    rows, columns = np.indices((32, 32))
    traces = {"real": 0 * rows, "board": (rows + columns) % 2, "stripes": columns % 2}
    for name, trace in traces.items():
        (tmp_path / "set" / name).mkdir(parents=True)
        for index, picture in enumerate(_pictures(rng, 40)):
            marked = (picture + 24 * trace[..., None]).clip(0, 255).astype(np.uint8)
            Image.fromarray(marked).save(tmp_path / "set" / name / f"{name}{index}.png")
    return tmp_path / "set"
