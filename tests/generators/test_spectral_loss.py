import numpy as np
import pytest

from spectell.errors import ShapeError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from spectell.generators.spectral_loss import radial_spectrum, spectral_loss  # noqa: E402


def test_the_radial_spectrum_is_the_mean_over_rings(rng):
    images = rng.uniform(-1, 1, (2, 3, 8, 8)).astype(np.float32)
    found = radial_spectrum(torch.from_numpy(images)).numpy()
    for image, rings in zip(images, found, strict=True):
        luma = np.tensordot([0.299, 0.587, 0.114], (image + 1) / 2, axes=1)
        amplitude = np.abs(np.fft.fft2(luma))
        along = np.minimum(np.arange(8), 8 - np.arange(8))
        radius = np.round(np.hypot(along[:, None], along[None]))
        expected = [amplitude[radius == r].mean() / amplitude[0, 0] for r in range(1, 5)]
        np.testing.assert_allclose(rings, expected, rtol=1e-3)


def test_the_loss_is_least_for_equal_spectra_and_pulls_toward_them(rng):
    real = torch.from_numpy(rng.uniform(-1, 1, (4, 3, 16, 16)).astype(np.float32))
    flat = (0.2 * real).requires_grad_()
    loss = spectral_loss(real[:1], flat[:1])
    assert loss > spectral_loss(real[:1], real[:1])
    torch.autograd.backward(loss)
    assert torch.isfinite(flat.grad).all()
    with torch.no_grad():
        assert spectral_loss(real[:1], flat[:1] - 5 * flat.grad[:1]) < loss


def test_images_must_be_square():
    with pytest.raises(ShapeError, match="images must be square, got 8x16"):
        radial_spectrum(torch.zeros(1, 3, 8, 16))
