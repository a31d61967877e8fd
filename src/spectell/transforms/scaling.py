"""What happens to coefficients before a classifier sees them: logarithm, then standardisation.

Both belong to a model: it must meet the offset, the means and the deviations that it was trained with, so
they are stored beside its weights and never estimated again from what it is shown.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError

__all__ = ["LOG_OFFSET", "Standardizer", "log_scale"]

FloatArray = npt.NDArray[np.floating[Any]]
Float64Array = npt.NDArray[np.float64]

LOG_OFFSET = 1e-12
"""Offset used by every shipped detector; stored with a model, never retyped."""


def log_scale(coefficients: npt.ArrayLike, *, offset: float = LOG_OFFSET) -> FloatArray:
    r"""Natural logarithm of the coefficient magnitude.

    Computes :math:`\ln(|c| + \text{offset})`; sign and phase are discarded.

    Parameters
    ----------
    coefficients : array_like of any shape, real or complex
        DCT or DFT coefficients. Never modified in place.
    offset : float > 0
        Added to the magnitude so that a zero coefficient maps to ``ln(offset)`` (about -27.63 for the
        default) instead of minus infinity.

    Returns
    -------
    log_magnitude : ndarray, same shape as `coefficients`
        In nats. One unit is a factor of e, 8.69 dB, in amplitude.

    Raises
    ------
    ParameterError
        If `offset` is not positive and finite.

    Notes
    -----
    A detector must see the offset it was trained with, because dead coefficients sit exactly at
    ``ln(offset)``: a tenfold change moves them by 2.30 nats.

    References
    ----------
    .. [1] Frank, Eisenhofer, Schönherr, Fischer, Kolossa, Holz (2020). Leveraging frequency analysis for deep
       fake image recognition. ICML. :arxiv:`2003.08685`

    Examples
    --------
    >>> log_scale([np.e, -np.e, 0.0]).round(2).tolist()
    [1.0, 1.0, -27.63]
    """
    if not 0 < offset < np.inf:
        raise ParameterError(f"offset must be positive and finite, got {offset!r}")
    magnitude = np.asarray(np.abs(np.asarray(coefficients)))
    if magnitude.dtype.kind != "f":
        magnitude = magnitude.astype(np.float64)
    # np.abs made a fresh array, so the caller's stays as it was.
    magnitude += magnitude.dtype.type(offset)
    return np.asarray(np.log(magnitude, out=magnitude))


class Standardizer:
    """Shift and scale every coefficient to mean 0 and standard deviation 1 over the training set.

    A coefficient that never varied in training (standard deviation 0) carries no scale: it is centred only,
    so that it is 0 for every training image and a finite distance for any other, and `inverse` is exact.

    Parameters
    ----------
    mean : array_like of any shape
        Mean of every coefficient over the training set.
    std : array_like, same shape as `mean`, >= 0
        Standard deviation of every coefficient over the training set.

    Attributes
    ----------
    mean, std : ndarray, float64
        As given.

    Raises
    ------
    ShapeError
        If `mean` and `std` differ in shape.
    ParameterError
        If a value is not finite or a standard deviation is negative.

    See Also
    --------
    spectell.spectra.SpectrumStatistics.standardizer : The standardisation of a set of spectra.

    Examples
    --------
    >>> standardizer = Standardizer(mean=[1.0, 5.0], std=[2.0, 0.0])
    >>> standardizer.transform([[5.0, 5.0], [1.0, 6.0]]).tolist()
    [[2.0, 0.0], [0.0, 1.0]]
    >>> standardizer.inverse([2.0, 0.0]).tolist()
    [5.0, 5.0]
    """

    def __init__(self, mean: npt.ArrayLike, std: npt.ArrayLike) -> None:
        self.mean: Float64Array = np.array(mean, dtype=np.float64)
        self.std: Float64Array = np.array(std, dtype=np.float64)
        if self.mean.shape != self.std.shape:
            raise ShapeError(f"mean and std must have one shape, got {self.mean.shape} and {self.std.shape}")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.std).all() and (self.std >= 0).all()):
            raise ParameterError("mean and std must be finite and std must not be negative")
        self._scale: Float64Array = np.where(self.std > 0, self.std, 1.0)

    def transform(self, coefficients: npt.ArrayLike) -> FloatArray:
        """Standardise coefficients of shape ``(..., *mean.shape)``; `float32` stays `float32`.

        Raises
        ------
        ShapeError
            If the last axes are not those of `mean`.
        """
        values = self._checked(coefficients)
        return np.asarray((values - self.mean.astype(values.dtype)) / self._scale.astype(values.dtype))

    def inverse(self, standardized: npt.ArrayLike) -> FloatArray:
        """Coefficients that `transform` maps to `standardized`; shapes, dtypes and errors as there."""
        values = self._checked(standardized)
        return np.asarray(values * self._scale.astype(values.dtype) + self.mean.astype(values.dtype))

    def _checked(self, values: npt.ArrayLike) -> FloatArray:
        array = np.asarray(values)
        floats = array if array.dtype == np.float32 else array.astype(np.float64)
        n_axes = self.mean.ndim
        if floats.ndim < n_axes or floats.shape[floats.ndim - n_axes :] != self.mean.shape:
            raise ShapeError(f"expected coefficients of shape (..., {str(self.mean.shape)[1:]}, got {floats.shape}")
        return floats
