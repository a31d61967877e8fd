"""Every detector, front end, head and distance, by name; each is imported when it is asked for.

Command-line choices, the documentation's table and the loading of model files all derive from these four tables.
To add one, write the class and add its line here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from spectell.detectors.parts import Arrays
from spectell.errors import ArtifactError, ParameterError

__all__ = [
    "DETECTORS",
    "DISTANCES",
    "DOMAINS",
    "FRONT_ENDS",
    "HEADS",
    "DetectorSpec",
    "detector_spec",
    "get_detector",
    "get_front_end",
    "load_distance",
    "load_front_end",
    "load_head",
]

DOMAINS = ("blocks", "dct", "pixel")
"""What a detector may learn from, the first choice first: block spectra tell most and take images of any size."""


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """Where a class lives, what it is in one line, and where it comes from.

    Parameters
    ----------
    target : str
        ``module:Class`` below ``spectell.detectors``.
    summary : str
    reference : str
    front_ends : mapping of str to str, optional
        Of a detector: the domains that it works in, and the front end of each. By default it works in every domain,
        on the front end of that name.
    """

    target: str
    summary: str
    reference: str
    front_ends: Mapping[str, str] | None = None

    @property
    def default_domain(self) -> str:
        """Of a detector: the domain where none is asked for, the first of blocks, dct and pixel that it works in.

        Examples
        --------
        >>> [DETECTORS[name].default_domain for name in ("ridge", "cnn", "prnu")]
        ['blocks', 'dct', 'pixel']
        """
        return next(domain for domain in DOMAINS if self.front_ends is None or domain in self.front_ends)

    def load(self) -> Any:
        """Import the class."""
        module, _, name = self.target.partition(":")
        return getattr(import_module(f"spectell.detectors.{module}"), name)


_TILES = {"pixel": "pixel", "dct": "dct"}

DETECTORS = {
    "ridge": DetectorSpec("ridge:RidgeDetector", "Ridge regression, closed form", "Frank et al. 2020"),
    "logistic": DetectorSpec(
        "logistic:LogisticDetector", "Logistic regression with L1, L2 or both", "Frank et al. 2020"
    ),
    "knn": DetectorSpec("knn:KNNDetector", "Votes of the k nearest training images", "Cover and Hart 1967"),
    "eigenfaces": DetectorSpec(
        "eigenfaces:EigenfacesDetector",
        "Principal components, then a linear SVM",
        "Turk and Pentland 1991",
    ),
    "prnu": DetectorSpec(
        "prnu:PRNUDetector",
        "Correlation with mean denoising residuals",
        "Marra et al. 2019",
        front_ends={"pixel": "residual"},
    ),
    "mlp": DetectorSpec(
        "networks.estimators:MLPDetector",
        "Network with one hidden layer of 128",
        "Frank et al. 2020",
        front_ends=_TILES,
    ),
    "cnn": DetectorSpec(
        "networks.estimators:CNNDetector",
        "Network of four small convolutions",
        "Frank et al. 2020",
        front_ends=_TILES,
    ),
    "resnet": DetectorSpec(
        "networks.estimators:ResNetDetector",
        "Network of ten residual blocks",
        "Frank et al. 2020",
        front_ends=_TILES,
    ),
    "yu2019": DetectorSpec(
        "networks.estimators:Yu2019Detector",
        "Network of Yu et al. for attribution",
        "Yu et al. 2019",
        front_ends=_TILES,
    ),
}

FRONT_ENDS = {
    "pixel": DetectorSpec("features:PixelFeatures", "Pixel values of a native tile, -1 to 1", "Frank et al. 2020"),
    "dct": DetectorSpec("features:DCTFeatures", "Log-magnitude DCT of a native tile", "Frank et al. 2020"),
    "blocks": DetectorSpec("features:BlockFeatures", "Log spectra averaged over blocks; any size", "Welch 1967"),
    "cooccurrence": DetectorSpec(
        "cooccurrence:CooccurrenceFeatures", "Histograms of runs of pixel differences; any size", "Pevný et al. 2010"
    ),
    "residual": DetectorSpec(
        "residual:ResidualFeatures", "Noise that wavelet denoising takes out of a native tile", "Marra et al. 2019"
    ),
    "stack": DetectorSpec("stack:StackedFeatures", "Several front ends side by side", ""),
}

HEADS = {
    "linear": DetectorSpec("heads:LinearHead", "Weighted sum", ""),
    "mlp": DetectorSpec("heads:MLPHead", "Multilayer perceptron", ""),
    "average": DetectorSpec("heads:AverageHead", "Mean of several heads", ""),
    "linear_classes": DetectorSpec("class_heads:LinearClassesHead", "Weighted sum for each class", ""),
    "nearest": DetectorSpec("class_heads:NearestHead", "Votes of the nearest training images", "Cover and Hart 1967"),
    "fingerprint": DetectorSpec("class_heads:FingerprintHead", "Correlation with mean residuals", "Marra et al. 2019"),
    "network": DetectorSpec("network_head:NetworkHead", "Network of a known architecture", "Frank et al. 2020"),
}

DISTANCES = {
    "bands": DetectorSpec("distance:BandDistance", "Mahalanobis distance of band statistics", "Ledoit and Wolf 2004"),
}


def detector_spec(name: str) -> DetectorSpec:
    """Return what is known of the detector registered as `name`, without importing it.

    Raises
    ------
    ParameterError
        If no detector has that name.

    Examples
    --------
    >>> detector_spec("prnu").front_ends
    {'pixel': 'residual'}
    """
    return _find(DETECTORS, "detector", name)


def get_detector(name: str) -> Any:
    """Return the detector class registered as `name`.

    Raises
    ------
    ParameterError
        If no detector has that name; the message lists those that exist.

    Examples
    --------
    >>> get_detector("rigde")
    Traceback (most recent call last):
        ...
    spectell.errors.ParameterError: unknown detector 'rigde'; choose one of cnn, eigenfaces, knn, logistic, mlp,
    prnu, resnet, ridge, yu2019
    """
    return _get(DETECTORS, "detector", name)


def get_front_end(name: str) -> Any:
    """Return the front-end class registered as `name`, which is also the name of its domain.

    Raises
    ------
    ParameterError
        If no front end has that name; the message lists those that exist.

    Examples
    --------
    >>> get_front_end("blocks").__name__
    'BlockFeatures'
    """
    return _get(FRONT_ENDS, "domain", name)


def load_front_end(name: str, config: dict[str, Any], arrays: Arrays) -> Any:
    """Rebuild a front end from its parts of a model file; raises `ArtifactError` if they do not fit."""
    return _load(FRONT_ENDS, "front end", name, config, arrays)


def load_head(name: str, config: dict[str, Any], arrays: Arrays) -> Any:
    """Rebuild a head from its parts of a model file; raises `ArtifactError` if they do not fit."""
    return _load(HEADS, "head", name, config, arrays)


def load_distance(name: str, config: dict[str, Any], arrays: Arrays, limit: float) -> Any:
    """Rebuild a distance from its parts of a model file; raises `ArtifactError` if they do not fit."""
    return _load(DISTANCES, "distance", name, config, arrays, limit)


def _get(table: Mapping[str, DetectorSpec], kind: str, name: str) -> Any:
    return _find(table, kind, name).load()


def _find(table: Mapping[str, DetectorSpec], kind: str, name: str) -> DetectorSpec:
    spec = table.get(name)
    if spec is None:
        raise ParameterError(f"unknown {kind} {name!r}; choose one of {', '.join(sorted(table))}")
    return spec


def _load(table: Mapping[str, DetectorSpec], kind: str, name: Any, config: Any, *parts: Any) -> Any:
    if not isinstance(name, str) or name not in table or not isinstance(config, dict):
        raise ArtifactError(
            f"the model has a {kind} {str(name)[:60]!r} that this version does not know ({', '.join(sorted(table))})"
        )
    try:
        return table[name].load().from_config(config, *parts)
    except ParameterError as error:
        raise ArtifactError(f"the model's {kind} {name!r} does not fit: {error}") from None
