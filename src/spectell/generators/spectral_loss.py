"""A term that asks generated images for the radial spectrum of real ones. Importing this module imports torch."""

from __future__ import annotations

import torch

from spectell.errors import ShapeError

__all__ = ["radial_spectrum", "spectral_loss"]


def spectral_loss(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Cross entropy between the mean radial spectra of real and generated images.

    With P the mean amplitude of the Fourier transform over a ring, divided by that of ring 0, cut to [0, 1]:
    loss = - mean over rings of (P_real log P_fake + (1 - P_real) log(1 - P_fake)).

    Parameters
    ----------
    real, fake : tensor of shape (N, 3, S, S), in [-1, 1]

    Returns
    -------
    loss : tensor of shape ()
        Differentiable with respect to `fake`; at its least where the spectra agree.

    References
    ----------
    .. [1] Durall, Keuper, Keuper (2020). Watch your up-convolution: CNN based generative deep neural networks are
       failing to reproduce spectral distributions. CVPR. :arxiv:`2003.01826`
    """
    wanted = radial_spectrum(real).mean(dim=0).detach()
    found = radial_spectrum(fake)
    return torch.nn.functional.binary_cross_entropy(found, wanted.expand_as(found))


def radial_spectrum(images: torch.Tensor) -> torch.Tensor:
    """Mean amplitude on rings of the Fourier transform of the luma, relative to ring 0.

    Parameters
    ----------
    images : tensor of shape (N, 3, S, S), in [-1, 1]
        S at least 4. Taken to [0, 1] first, so that ring 0, the mean, is the largest for any picture.

    Returns
    -------
    spectrum : tensor of shape (N, S / 2), in [0, 1]
        Rings 1 to S / 2; ring r holds the frequencies nearest to r cycles an image.

    Raises
    ------
    ShapeError
        If the images are not square.
    """
    n, _, height, width = images.shape
    if height != width:
        raise ShapeError(f"images must be square, got {height}x{width}")
    weights = torch.tensor([0.299, 0.587, 0.114], device=images.device)
    luma = ((images + 1) / 2 * weights[:, None, None]).sum(dim=1)
    # The square of the magnitude is smoothed by a little at 0, where the root has no gradient.
    transform = torch.fft.fft2(luma)
    amplitude = (transform.real.square() + transform.imag.square() + 1e-8).sqrt()
    along = torch.fft.fftfreq(height, 1 / height, device=images.device)
    rings = (along[:, None].square() + along.square()).sqrt().round().long()
    kept = (rings <= height // 2).flatten()
    index = rings.flatten()[kept]
    sums = torch.zeros(n, height // 2 + 1, device=images.device, dtype=amplitude.dtype)
    sums = sums.index_add(1, index, amplitude.flatten(1)[:, kept])
    means = sums / torch.bincount(index, minlength=height // 2 + 1)
    return (means[:, 1:] / means[:, :1]).clamp(0.0, 1.0)
