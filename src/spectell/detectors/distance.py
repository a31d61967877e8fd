r"""How unlike the training images an image is.

A verdict on an image unlike anything in training is a guess. The distance looks at the standardised features in
`n_bands` runs of neighbours: the mean of each run says where the spectrum lies, the logarithm of its mean square how
it scatters. Those 2 · `n_bands` numbers are compared with what training images show, by the Mahalanobis distance, and
given in units of a limit that a stated share of validation images stays below. It costs two passes over the features
and one small matrix product, next to nothing beside the transform.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from spectell.detectors.parts import Arrays, Float32Array, Float64Array, take_array
from spectell.errors import ArtifactError, ParameterError

__all__ = ["BAND_COUNT", "BandDistance"]

BAND_COUNT = 32
"""Enough to tell noise, flat and synthetic images from photographs; few enough to fit on some hundred images."""

SHRINKAGE = 0.05
"""Weight of the diagonal in the covariance, so that a few hundred images determine it (Ledoit and Wolf's remedy)."""

FLOOR = 1e-6
"""Smallest mean square of a run: features that are all dead have none."""


class BandDistance:
    """Mahalanobis distance of band statistics, in units of a limit.

    Parameters
    ----------
    centre : array_like of shape (2 * n_bands,)
        Mean band statistics of training images.
    whitening : array_like of shape (2 * n_bands, 2 * n_bands)
        Maps a deviation from `centre` to uncorrelated units of one standard deviation.
    limit : float > 0
        Distance that counts as one.

    See Also
    --------
    BandDistance.fit : Take centre and whitening from training images.

    References
    ----------
    .. [1] Ledoit, Wolf (2004). A well-conditioned estimator for large-dimensional covariance matrices. Journal of
       Multivariate Analysis 88(2), 365-411. :doi:`10.1016/S0047-259X(03)00096-4`

    Examples
    --------
    With one band, the statistics of ``[3, 3]`` are its mean 3 and ln 9; the second is given no weight here:

    >>> distance = BandDistance([0.0, 0.0], [[1.0, 0.0], [0.0, 0.0]], limit=1.5)
    >>> [round(float(value), 4) for value in distance.measure(np.array([[3.0, 3.0]], np.float32))]
    [1.4142]
    """

    name = "bands"

    def __init__(self, centre: npt.ArrayLike, whitening: npt.ArrayLike, limit: float = 1.0) -> None:
        self.centre: Float32Array = np.asarray(centre, np.float32)
        self.whitening: Float32Array = np.asarray(whitening, np.float32)
        self.limit = float(limit)
        if self.centre.ndim != 1 or len(self.centre) % 2 or self.whitening.shape != 2 * self.centre.shape:
            raise ParameterError(
                "centre must have shape (2 * n_bands,) and whitening its square, "
                f"got {self.centre.shape} and {self.whitening.shape}"
            )
        if not self.limit > 0:
            raise ParameterError(f"limit must be positive, got {limit!r}")

    @classmethod
    def fit(cls, statistics: npt.ArrayLike) -> Self:
        """Take centre and whitening from the band statistics of training images, with a limit of one.

        Parameters
        ----------
        statistics : array_like of shape (N, 2 * n_bands), N >= 2
            What `band_statistics` returns, one row an image.

        Raises
        ------
        ParameterError
            If there are fewer than two images.
        """
        table = np.asarray(statistics, np.float64)
        if len(table) < 2:
            raise ParameterError(f"statistics must hold at least 2 images, got {len(table)}")
        covariance = np.cov(table, rowvar=False)
        diagonal = np.maximum(np.diag(covariance), 1e-12 + 1e-6 * np.diag(covariance).max())
        blended = (1 - SHRINKAGE) * covariance + np.diag(SHRINKAGE * diagonal + 1e-12)
        values, vectors = np.linalg.eigh(blended)
        return cls(table.mean(axis=0), vectors / np.sqrt(np.maximum(values, 1e-12)))

    def limited(self, limit: float) -> Self:
        """Return the same distance in units of `limit` times its present unit."""
        return type(self)(self.centre, self.whitening, self.limit * limit)

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """``centre`` and ``whitening``."""
        return {"centre": self.centre, "whitening": self.whitening}

    @property
    def config(self) -> dict[str, Any]:
        """Number of bands, for the reader of a card."""
        return {"bands": len(self.centre) // 2}

    @classmethod
    def from_config(cls, config: dict[str, Any], arrays: Arrays, limit: float) -> Self:
        """Make the distance again; raises `ArtifactError` if a part does not fit."""
        bands = config.get("bands")
        if set(config) != {"bands"} or type(bands) is not int or not 1 <= bands <= 1000:
            raise ArtifactError("the distance 'bands' must state 1 to 1000 bands")
        if wrong := set(arrays) - {"centre", "whitening"}:
            raise ArtifactError(f"the distance 'bands' has an unknown array {min(wrong)[:60]!r}")
        size = 2 * bands
        return cls(take_array(arrays, "centre", (size,)), take_array(arrays, "whitening", (size, size)), limit)

    def measure(self, rows: Float32Array) -> Float64Array:
        """Return the distance of each row of standardised features, shape (T, D), above 1 beyond the limit."""
        deviation = (band_statistics(rows, len(self.centre) // 2) - self.centre) @ self.whitening
        # Per dimension, so that the value means the same with another number of bands.
        return np.asarray(np.sqrt(np.square(deviation).mean(axis=1, dtype=np.float64)) / self.limit)


def band_statistics(rows: Float32Array, n_bands: int = BAND_COUNT) -> Float32Array:
    """Mean and log mean square of the features in runs of neighbours.

    Parameters
    ----------
    rows : ndarray of shape (T, D), float32
        Standardised features.
    n_bands : int
        Number of runs. All have ``D // n_bands`` features; the few that remain belong to none, and where D is smaller
        than `n_bands` the last bands stay at zero.

    Returns
    -------
    statistics : ndarray of shape (T, 2 * n_bands), float32
        The means of the runs, then the natural logarithms of their mean squares.

    Examples
    --------
    >>> band_statistics(np.array([[1.0, 3.0, 2.0, 2.0]], np.float32), 2).round(3).tolist()
    [[2.0, 2.0, 1.6089999675750732, 1.3860000371932983]]
    """
    n_rows, n_features = rows.shape
    length = max(n_features // n_bands, 1)
    n_filled = min(n_bands, n_features)
    runs = rows[:, : n_filled * length].reshape(n_rows, n_filled, length)
    statistics = np.zeros((n_rows, 2 * n_bands), np.float32)
    statistics[:, :n_filled] = runs.sum(axis=2) / length
    squares = np.einsum("tbl,tbl->tb", runs, runs) / length
    statistics[:, n_bands : n_bands + n_filled] = np.log(squares + np.float32(FLOOR))
    return statistics
