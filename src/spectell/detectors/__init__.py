"""Detectors: the front ends, the classifiers, and the one file that a trained model is.

Everything that a verdict needs (`artifact`, `card`, `container`, `features`, `heads`, `distance`, `registry`)
imports NumPy and the standard library only, so that a cold start stays short; scikit-learn is imported by
the modules that train (`ridge`, `logistic`) and by nothing else here.
"""

from spectell.detectors.artifact import Model, Score, load_model, save_model
from spectell.detectors.card import ModelCard
from spectell.detectors.registry import DETECTORS, get_detector

__all__ = ["DETECTORS", "Model", "ModelCard", "Score", "get_detector", "load_model", "save_model"]
