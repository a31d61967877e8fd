import numpy as np
import pytest

from spectell.errors import ParameterError
from spectell.generators.traces import KERNELS, upsample

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from spectell.generators.upsampling import UPSAMPLINGS, make_upsampling, upsampling_response  # noqa: E402

FIXED = {"nearest": "nearest", "bilinear": "linear", "binomial": "binomial"}


def zero_insertion(x, kernel, offset):
    """out[o] = sum over i of x[i] kernel[o - 2 i + offset], zeros beyond the border, by loops over one plane."""
    height, width = x.shape
    out = np.zeros((2 * height, 2 * width))
    for row in range(height):
        for column in range(width):
            for a in range(len(kernel)):
                for b in range(len(kernel)):
                    r, c = 2 * row + a - offset, 2 * column + b - offset
                    if 0 <= r < 2 * height and 0 <= c < 2 * width:
                        out[r, c] += x[row, column] * kernel[a, b]
    return out


@pytest.mark.parametrize("name", FIXED)
def test_the_fixed_kernels_equal_zero_insertion_and_a_filter(rng, name):
    planes = rng.standard_normal((3, 5, 7)).astype(np.float32)
    kernel = KERNELS[FIXED[name]]
    made = make_upsampling(name, 3)(torch.from_numpy(planes)[None])[0].numpy()
    np.testing.assert_allclose(made, upsample(planes, np.outer(kernel, kernel)), atol=1e-6)


def test_the_transposed_convolution_is_zero_insertion_and_its_kernel(rng):
    module = make_upsampling("transposed", 2)
    planes = rng.standard_normal((2, 4, 5)).astype(np.float32)
    made = module(torch.from_numpy(planes)[None])[0].detach().numpy()
    for channel in range(2):
        kernel = module.weight[channel, 0].detach().numpy()
        np.testing.assert_allclose(made[channel], zero_insertion(planes[channel], kernel, 1), atol=1e-6)


def test_pixel_shuffle_makes_each_phase_by_its_own_kernel(rng):
    module = make_upsampling("pixelshuffle", 2)
    planes = rng.standard_normal((2, 4, 5)).astype(np.float32)
    made = module(torch.from_numpy(planes)[None])[0].detach().numpy()
    for channel in range(2):
        padded = np.pad(planes[channel], 1)
        for phase in range(4):
            kernel = module.weight[4 * channel + phase, 0].detach().numpy()
            expected = [[(padded[r : r + 3, c : c + 3] * kernel).sum() for c in range(5)] for r in range(4)]
            np.testing.assert_allclose(made[channel, phase // 2 :: 2, phase % 2 :: 2], expected, atol=1e-6)


@pytest.mark.parametrize("name", UPSAMPLINGS)
def test_a_constant_keeps_its_level(name):
    flat = torch.full((1, 3, 6, 6), 5.0)
    made = make_upsampling(name, 3)(flat).detach()
    assert made.shape == (1, 3, 12, 12)
    torch.testing.assert_close(made[:, :, 2:-2, 2:-2], torch.full((1, 3, 8, 8), 5.0), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", UPSAMPLINGS)
def test_channels_do_not_mix_and_rows_are_not_columns(name):
    x = torch.zeros(1, 3, 4, 6)
    x[0, 1, 1, 4] = 1.0
    made = make_upsampling(name, 3)(x).detach()[0]
    assert not made[0].any()
    assert not made[2].any()
    row, column = (int(i) for i in np.unravel_index(int(made[1].abs().argmax()), (8, 12)))
    assert abs(row - 2.5) < 3
    assert abs(column - 8.5) < 3


@pytest.mark.parametrize(("name", "power"), [("nearest", 1), ("bilinear", 2), ("binomial", 3)])
def test_the_response_is_a_power_of_a_cosine(name, power):
    frequencies = np.linspace(0, 0.5, 11)
    np.testing.assert_allclose(upsampling_response(name, frequencies), np.cos(np.pi * frequencies) ** power, atol=1e-12)


@pytest.mark.parametrize("name", FIXED)
def test_the_response_is_what_a_wave_keeps(name):
    """A cosine of 1/8 cycle per pixel before is one of 1/16 after, with a mirror image at 7/16."""
    wave = torch.cos(2 * torch.pi * torch.arange(64) / 8).repeat(64, 1)[None, None]
    row = make_upsampling(name, 1)(wave)[0, 0, 64, 32:96].numpy()
    amplitude = np.abs(np.fft.rfft(row)) / 32
    np.testing.assert_allclose(amplitude[[4, 28]], upsampling_response(name, [1 / 16, 7 / 16]), atol=1e-5)
    assert amplitude[[4, 28]].sum() == pytest.approx(amplitude.sum(), abs=1e-4)


def test_wrong_arguments_are_refused():
    with pytest.raises(ParameterError, match="unknown upsampling 'cubic'; choose one of nearest, bilinear, binomial"):
        make_upsampling("cubic", 3)
    with pytest.raises(ParameterError, match="channels must be at least 1, got 0"):
        make_upsampling("nearest", 0)
    with pytest.raises(ParameterError, match="upsampling 'transposed' has no fixed kernel"):
        upsampling_response("transposed", 0.1)
