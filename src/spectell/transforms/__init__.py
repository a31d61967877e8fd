"""Pixels to coefficients and back: the DCT, its logarithm and its standardisation.

Pure functions of arrays laid out ``(..., H, W, C)``. They neither read files nor know what a
detector is, and importing them loads NumPy only: SciPy's transforms come in with the first image
that is large enough to need them.
"""

from spectell.transforms.dct import IMAGE_AXES, block_dct2, dct2, dct_matrix, idct2
from spectell.transforms.scaling import LOG_OFFSET, Standardizer, log_scale

__all__ = ["IMAGE_AXES", "LOG_OFFSET", "Standardizer", "block_dct2", "dct2", "dct_matrix", "idct2", "log_scale"]
