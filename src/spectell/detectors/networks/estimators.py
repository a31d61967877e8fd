"""The four networks of the paper, and how each differs from the others: by its plan, and by the penalty of `mlp`."""

from __future__ import annotations

from spectell.detectors.networks.base import NetworkDetector
from spectell.transforms import LOG_OFFSET

__all__ = ["CNNDetector", "MLPDetector", "ResNetDetector", "Yu2019Detector"]


class MLPDetector(NetworkDetector):
    """One hidden layer of 128 units, whose weights are penalised by their squares.

    Parameters
    ----------
    l2 : float >= 0
        Times the sum of the squared weights of the hidden layer, added to the loss.
    domain, epochs, batch, learning_rate, patience, balanced, offset, device, seed
        See `NetworkDetector`.

    References
    ----------
    .. [1] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML. :arxiv:`2003.08685`
    """

    architecture = "mlp"

    def __init__(
        self,
        domain: str = "dct",
        epochs: int = 50,
        batch: int = 32,
        learning_rate: float = 1e-3,
        patience: int = 5,
        *,
        l2: float = 0.01,
        balanced: bool = True,
        offset: float = LOG_OFFSET,
        device: str = "cpu",
        seed: int = 0,
    ) -> None:
        super().__init__(
            domain, epochs, batch, learning_rate, patience, balanced=balanced, offset=offset, device=device, seed=seed
        )
        self.l2 = l2


class CNNDetector(NetworkDetector):
    """Four small convolutions: 169,961 parameters at 128 x 128 pixels and five classes.

    References
    ----------
    .. [1] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML. :arxiv:`2003.08685`
    """

    architecture = "cnn"


class ResNetDetector(NetworkDetector):
    """Ten residual blocks of 64 channels, with batch normalisation and dropout.

    References
    ----------
    .. [1] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML. :arxiv:`2003.08685`
    .. [2] He, Zhang, Ren, Sun (2016). Deep residual learning for image recognition. CVPR. :arxiv:`1512.03385`
    """

    architecture = "resnet"


class Yu2019Detector(NetworkDetector):
    """Convolutions in pairs, twice the channels at half the size: 8,913,797 parameters at 128 x 128 and five classes.

    References
    ----------
    .. [1] Yu, Davis, Fritz (2019). Attributing fake images to GANs: Learning and analyzing GAN fingerprints. ICCV.
       :arxiv:`1811.08180`
    """

    architecture = "yu2019"
