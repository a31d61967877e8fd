"""The k nearest training images vote: a baseline of the paper, which keeps every training image."""

from typing import ClassVar

import numpy as np
from sklearn.neighbors import NearestNeighbors

from spectell.detectors.class_heads import NearestHead, check_neighbours, nearest_lead
from spectell.detectors.classes import ClassDetector, Labels, Rows
from spectell.detectors.container import MAX_MODEL_BYTES
from spectell.detectors.parts import Float64Array
from spectell.errors import ParameterError

__all__ = ["KNNDetector"]


class KNNDetector(ClassDetector):
    """k nearest neighbours of standardised features, by Euclidean distance.

    Parameters
    ----------
    k : int, odd
        Neighbours that vote, at most as many as there are training images.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (D,)
        Standardisation.
    neighbours_ : NearestNeighbors
        Of scikit-learn, with all training images.
    kept_ : ndarray of shape (n, D)
        Its standardised features.
    codes_ : ndarray of shape (n,)
        Class of each training image, 0 to K - 1.

    References
    ----------
    .. [1] Cover, Hart (1967). Nearest neighbor pattern classification. IEEE Transactions on Information Theory 13(1),
       21-27. :doi:`10.1109/TIT.1967.1053964`
    .. [2] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML. :arxiv:`2003.08685`

    Examples
    --------
    >>> detector = KNNDetector().fit([[0.0], [1.0], [5.0], [6.0]], [0, 0, 1, 1])
    >>> detector.predict([[2.0], [4.0]]).tolist()
    [0, 1]
    """

    GRID: ClassVar = {"k": (1, *(2**i + 1 for i in range(1, 11)))}

    def __init__(self, k: int = 1) -> None:
        self.k = k

    def _check_size(self, n_rows: int, n_features: int) -> None:
        check_neighbours(self.k, n_rows)
        needed = 4 * n_rows * n_features
        if needed > MAX_MODEL_BYTES:
            raise ParameterError(
                f"k nearest neighbours keep all {n_rows} training images, {needed / 1e6:.0f} MB, more than the "
                f"{MAX_MODEL_BYTES / 1e6:.0f} MB of a model; use fewer images or a smaller size"
            )

    def _fit_rows(self, rows: Rows, codes: Labels) -> None:
        self.kept_, self.codes_ = rows, codes
        self.neighbours_ = NearestNeighbors(n_neighbors=self.k, algorithm="brute").fit(rows)

    def _outputs(self, rows: Rows) -> Float64Array:
        n_kept = len(self.codes_)
        if len(self.classes_) > 2:
            nearest = self.codes_[self.neighbours_.kneighbors(rows, return_distance=False)]
            return np.asarray((nearest[:, :, np.newaxis] == np.arange(len(self.classes_))).mean(axis=1))
        distances, indices = self.neighbours_.kneighbors(rows, n_neighbors=n_kept)
        in_order = np.empty((len(rows), n_kept))
        np.put_along_axis(in_order, indices, distances.astype(np.float64), axis=1)
        return nearest_lead(in_order, self.codes_ == 1, self.k)

    @property
    def head(self) -> NearestHead:
        """What a model file keeps: every training image."""
        return NearestHead(self.kept_, self.codes_, self.k, len(self.classes_))
