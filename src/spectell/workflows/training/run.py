"""Fitting to the training split: once, or at every point of a grid."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.detectors.front_end import FrontEnd
from spectell.detectors.residual import most_levels
from spectell.detectors.streaming import Source
from spectell.errors import MismatchError, ParameterError
from spectell.workflows.reading.image_passes import Progress
from spectell.workflows.reading.image_set import ImageSet
from spectell.workflows.training.config import Classes, TrainingConfig, make_detector, make_front_end
from spectell.workflows.training.grid import GridFile, GridPoint, balanced_accuracy, grid_points, run_key
from spectell.workflows.training.steps import Fitted, UsableImages, feature_source, fit_distance
from spectell.workflows.training.tiles import fit_network

__all__ = ["TrainingRun"]

StrPath = str | os.PathLike[str]


@contextmanager
def _blaming_images() -> Iterator[None]:
    """Say of an argument that is refused here that the images are at fault: `check_training` had found it right."""
    try:
        yield
    except MismatchError:
        raise
    except ParameterError as error:
        raise MismatchError(str(error)) from error


class TrainingRun:
    """One set of images, and what is fitted to them.

    Parameters
    ----------
    config : TrainingConfig
    images : ImageSet
        Of all splits.
    on_progress : callable
    checkpoint : path, optional
        Of a network.
    resume : bool
        Go on from the checkpoint.

    Attributes
    ----------
    classes : Classes
        Those of the training images.
    """

    def __init__(
        self,
        config: TrainingConfig,
        images: ImageSet,
        on_progress: Progress,
        checkpoint: StrPath | None,
        *,
        resume: bool,
    ) -> None:
        self._config, self._images, self._on_progress = config, images, on_progress
        self._checkpoint, self._resume = checkpoint, resume
        self.classes = Classes.of(config, images.manifest.select(images.manifest.splits == "train"))
        self._source: tuple[str, Source] | None = None

    @_blaming_images()
    def fit(self, params: Mapping[str, Any]) -> tuple[Fitted, UsableImages, Any]:
        """Fit to the training split, with some parameters given."""
        fitted, usable, detector = self._fit(params)
        distance = fit_distance(self._images, usable.rows["train"], fitted.front_end, fitted.standardisation)
        return dataclasses.replace(fitted, distance=distance), usable, detector

    @_blaming_images()
    def search(self, grid_file: StrPath | None) -> list[GridPoint]:
        """Fit and validate at every point of the grid; none if the detector searches for itself."""
        usable = UsableImages(self._images, make_front_end(self._config, self._images))
        tile = make_front_end(self._config, self._images).min_size
        n_train = len(usable.rows["train"])
        points = grid_points(self._config.detector, n_train=n_train, most_levels=most_levels(tile))
        finished = GridFile(grid_file, run_key(self._config, usable.manifest.digest()))
        found = []
        for number, params in enumerate(points, start=1):
            value = finished.known(params)
            if value is None:
                fitted, usable, _ = self._fit(params)
                value = self._validate(fitted, usable.rows["validation"])
                finished.add(params, value)
            found.append(GridPoint(params, value))
            self._on_progress("grid", number, len(points))
        return found

    def _fit(self, params: Mapping[str, Any]) -> tuple[Fitted, UsableImages, Any]:
        front_end = make_front_end(self._config, self._images, params)
        detector = make_detector(self._config, {**front_end.get_params(), **params})
        usable = UsableImages(self._images, front_end)
        rows = usable.rows["train"]
        training = self._images.manifest.select(rows)
        codes = self.classes.training_codes(training)
        if hasattr(detector, "fit_tiles"):
            size = front_end.min_size
            fit_network(detector, self._images, usable, self.classes, size, self._checkpoint, resume=self._resume)
        else:
            detector.fit_streamed(self._features(front_end, rows), codes, groups=training.groups)
        return Fitted(front_end, detector.standardisation, detector.head, None), usable, detector

    def _features(self, front_end: FrontEnd, rows: npt.NDArray[np.intp]) -> Source:
        """Return the features; those of the last front end are kept for the next point of a grid."""
        if self._source is None or self._source[0] != repr(front_end):
            self._source = None
            self._source = repr(front_end), feature_source(self._images, front_end, rows)
        return self._source[1]

    def _validate(self, fitted: Fitted, rows: npt.NDArray[np.intp]) -> float:
        named = np.array(list(self._images.map(fitted.name_class, rows)), np.intp)
        return balanced_accuracy(self.classes.codes(self._images.manifest.select(rows)), named)
