"""What the four networks share: estimators in scikit-learn's manner, for images. Fitting one imports PyTorch."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from spectell.detectors.container import MAX_MODEL_BYTES
from spectell.detectors.features import DCTFeatures, PixelFeatures
from spectell.detectors.network_head import NetworkHead
from spectell.detectors.network_plan import Layer, count_parameters, make_plan
from spectell.detectors.parts import Float64Array
from spectell.detectors.standardisation import Standardisation
from spectell.detectors.tiles import Tiles
from spectell.errors import MismatchError, ParameterError, ShapeError
from spectell.transforms import LOG_OFFSET

__all__ = ["NetworkDetector"]

_HELD_OUT = 0.15
"""Share of the images that stop the training, where no others are given for it."""


def _quiet(stage: str, done: int, total: int) -> None:
    """Report no progress."""


class NetworkDetector(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no type information
    """Base: a subclass names its architecture.

    It takes images and not rows of features, so scikit-learn's checks do not apply; arguments, attributes and methods
    are those of its classifiers. Training minimises the log loss by Adam, and stops when the loss on the validation
    images has not fallen for `patience` epochs; the weights of the best epoch are kept.

    Parameters
    ----------
    domain : {"dct", "pixel"}
        Standardised log-magnitudes of the DCT, or pixel values between -1 and 1.
    epochs : int >= 1
        Most passes over the images; in each, every image gives one of its tiles.
    batch : int >= 1
        Tiles a step.
    learning_rate : float > 0
    patience : int >= 1
    balanced : bool
        Whether all classes weigh the same, however many images each has.
    offset : float > 0
        Added to a DCT's magnitude before the logarithm.
    device : str
        As torch names it.
    seed : int
        Of weights, order, tiles and dropout: the same seed gives the same weights on the same machine, with the same
        versions and number of threads.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
    size_ : int
        Side of the tiles that were learned from.
    mean_, scale_ : ndarray of shape (D,)
        Standardisation of the features.
    arrays_ : dict of str to ndarray
        What was learned, see `spectell.detectors.network_head.NetworkHead`.
    fit_facts_ : dict
        Parameters, epochs, the best of them, its validation loss in nats, device, threads and the version of torch.
    is_over_ : bool
        Whether more epochs would change nothing; else the checkpoint can go on to them.
    """

    architecture: ClassVar[str]

    def __init__(
        self,
        domain: str = "dct",
        epochs: int = 50,
        batch: int = 32,
        learning_rate: float = 1e-3,
        patience: int = 5,
        *,
        balanced: bool = True,
        offset: float = LOG_OFFSET,
        device: str = "cpu",
        seed: int = 0,
    ) -> None:
        self.domain = domain
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.patience = patience
        self.balanced = balanced
        self.offset = offset
        self.device = device
        self.seed = seed

    def check_ready(self, size: int | None = None) -> None:
        """Check what can be checked without images, since reading them may take long.

        Parameters
        ----------
        size : int, optional
            Side of the tiles.

        Raises
        ------
        ParameterError
            If PyTorch is not installed, the device is not there, or a parameter or the size does not fit.
        """
        training = _import_training()
        self._settings(training.Settings)
        training.find_device(self.device)
        if size is not None:
            make_plan(self.architecture, size, 1)

    def fit(self, images: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to images, some of which are held out to stop the training.

        Parameters
        ----------
        images : array_like of shape (n, S, S, 3), uint8
        y : array_like of shape (n,)
            Two classes or more, of two images or more each.

        Raises
        ------
        ParameterError, ShapeError
            If images and labels do not fit, a class is too small, PyTorch is not installed, or the training diverges.
        """
        tiles, labels = Tiles.of_images(images), np.asarray(y)
        _check_labels(tiles, labels)
        classes, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
        if counts.min() < 2:
            raise ParameterError(
                f"the class {classes[counts.argmin()]!s:.60} has 1 image; at least 2 are needed, one to learn from and "
                "one to stop the training by"
            )
        held_out = np.zeros(len(codes), bool)
        rng = np.random.default_rng(self.seed)
        for code, count in enumerate(counts):
            held_out[rng.choice(np.flatnonzero(codes == code), max(round(_HELD_OUT * count), 1), replace=False)] = True
        learned, other = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        return self.fit_tiles(tiles.select(learned), labels[learned], tiles.select(other), labels[other])

    def fit_tiles(
        self,
        tiles: Tiles,
        y: npt.ArrayLike,
        validation: Tiles,
        y_validation: npt.ArrayLike,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        on_progress: Callable[[str, int, int], object] = _quiet,
    ) -> Self:
        """Fit to tiles of images.

        Parameters
        ----------
        tiles, validation : Tiles
            To learn from, and to stop the training by.
        y, y_validation : array_like of shape (n_images,)
            Class of each image; validation images of other classes take no part.
        checkpoint : path, optional
            Written after every epoch and every two minutes.
        resume : bool
            Go on from the checkpoint, if it exists; the result is that of a training without interruption.
        on_progress : callable
            Called with ``"training"``, the steps done and their number if no epoch is saved.

        Raises
        ------
        ParameterError, ShapeError, ArtifactError
            If the data do not fit, PyTorch is not installed, the device is not there, the training diverges, the model
            would be too large, or the checkpoint cannot be used.
        """
        labels, other = np.asarray(y), np.asarray(y_validation)
        _check_labels(tiles, labels)
        _check_labels(validation, other)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ParameterError("y must hold two classes, got 1 class; add images of another class")
        known = np.flatnonzero(np.isin(other, self.classes_))
        if not len(known) or validation.size != tiles.size:
            raise ShapeError(f"validation must hold tiles of {tiles.size} pixels of the classes of y, got {other[:5]}")
        self.size_ = tiles.size
        layers = self._layers()
        training_module = _import_training()
        training = training_module.Training(
            layers,
            self._settings(training_module.Settings),
            training_module.Labelled(tiles, codes),
            training_module.Labelled(validation.select(known), np.searchsorted(self.classes_, other[known])),
            self._class_weights(codes),
        )
        self.mean_, self.scale_ = training.run(checkpoint, resume=resume, on_progress=on_progress)
        self._keep(training.state, layers)
        self.is_over_ = training.is_over
        return self

    def _layers(self) -> tuple[Layer, ...]:
        """Make the plan; refuse what would not fit into a model file."""
        n_classes = len(self.classes_)
        layers = make_plan(self.architecture, self.size_, 1 if n_classes == 2 else n_classes)
        size = 4 * count_parameters(layers)
        if size > MAX_MODEL_BYTES:
            raise ParameterError(
                f"the network {self.architecture!r} for tiles of {self.size_} pixels takes {size / 1e6:.0f} MB, more "
                f"than the {MAX_MODEL_BYTES / 1e6:.0f} MB of a model; use a smaller size"
            )
        return layers

    def _settings(self, kind: Any) -> Any:
        if self.domain not in ("dct", "pixel"):
            raise ParameterError(f"domain must be dct or pixel, got {self.domain!r}")
        for name in ("epochs", "batch", "patience"):
            if not getattr(self, name) >= 1:
                raise ParameterError(f"{name} must be at least 1, got {getattr(self, name)!r}")
        if not 0 < self.learning_rate < np.inf:
            raise ParameterError(f"learning_rate must be positive and finite, got {self.learning_rate!r}")
        return kind(
            self.architecture,
            self.offset if self.domain == "dct" else None,
            self.epochs,
            self.batch,
            self.learning_rate,
            self.patience,
            getattr(self, "l2", 0.0),
            self.seed,
            self.device,
        )

    def _class_weights(self, codes: npt.NDArray[np.intp]) -> Float64Array:
        counts = np.bincount(codes)
        return len(codes) / (len(counts) * counts) if self.balanced else np.ones(len(counts))

    def _keep(self, state: Any, layers: tuple[Layer, ...]) -> None:
        import torch

        from spectell.detectors.networks.modules import learned_arrays

        self.arrays_ = learned_arrays(state.network, layers)
        self.fit_facts_ = {
            "parameters": count_parameters(layers),
            "epochs": state.epoch,
            "best_epoch": state.best_epoch,
            "validation_loss": state.losses[state.best_epoch - 1],
            "device": self.device,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        }

    def decision_function(self, images: npt.ArrayLike) -> Float64Array:
        """Return the log-odds of the larger label, shape (n,), or one output a class, (n, K); computed in NumPy."""
        check_is_fitted(self)
        tiles, head, standardisation = Tiles.of_images(images), self.head, self.standardisation
        rows = (self.front_end.rows(pixels) for pixels in tiles.pixels)
        found = np.concatenate([head.outputs(standardisation.apply(row)).mean(axis=0, keepdims=True) for row in rows])
        return found[:, 0] if len(self.classes_) == 2 else found

    def predict(self, images: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the label of each image, shape (n,)."""
        outputs = self.decision_function(images)
        codes = (outputs > 0).astype(np.intp) if outputs.ndim == 1 else outputs.argmax(axis=1)
        return np.asarray(self.classes_[codes])

    @property
    def front_end(self) -> DCTFeatures | PixelFeatures:
        """What gives the features of the learned size in NumPy."""
        return DCTFeatures(self.size_, self.offset) if self.domain == "dct" else PixelFeatures(self.size_)

    @property
    def standardisation(self) -> Standardisation:
        """What a model file keeps of mean and scale; those of pixel values are 0 and 1."""
        return Standardisation(self.mean_, self.scale_)

    @property
    def head(self) -> NetworkHead:
        """What a model file keeps of what was learned."""
        return NetworkHead(self.architecture, self.size_, len(self.classes_), self.arrays_)


def _check_labels(tiles: Tiles, labels: npt.NDArray[Any]) -> None:
    if labels.shape != (tiles.n_images,):
        raise ShapeError(f"there must be one label an image, got {labels.shape} for {tiles.n_images} images")


def _import_training() -> Any:
    try:
        from spectell.detectors.networks import training
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MismatchError(
            "training a network needs PyTorch, which is not installed; pip install 'spectell[torch]'"
        ) from error
    return training
