"""The file that ships: the final refit on everything, with the calibration of the refits that left sources out."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recipes.default_model.calibrate import FPR, FULL_PIXELS, Calibrated
from recipes.default_model.corpus import Picture
from recipes.default_model.features import front_end
from recipes.default_model.made import REBUILT, SAMPLED
from recipes.default_model.network import CLIP, EPOCHS, HIDDEN, NETWORKS, Networks, fit_networks
from recipes.default_model.table import VIEW, Table
from spectell.detectors.artifact import save_model, training_hash
from spectell.detectors.card import (
    CalibrationCard,
    DistanceCard,
    MetricCard,
    ModelCard,
    PartCard,
    RateCard,
    ThresholdCard,
)
from spectell.detectors.distance import BandDistance, band_statistics
from spectell.detectors.heads import MLPHead
from spectell.detectors.model import Model
from spectell.detectors.standardisation import Standardisation
from spectell.evaluation.intervals import Interval
from spectell.workflows.promised_rates import threshold_table
from spectell.workflows.training.card import versions

__all__ = ["NAME", "build_model"]

NAME = "spectell-default-3"
DISTANCE_QUANTILE = 0.995
"""Share of training rows, after every history, that are not called unlike the training images."""

TRAINED_ON = (
    "Photographs: faces (FFHQ reduced to 256 pixels, CelebA at 128 and 178 x 218), CIFAR-10 test images (32 pixels), "
    "ImageNet photographs, camera and phone originals of dozens of models. Generated: StyleGAN faces (reduced), "
    "StarGAN faces, images of a DCGAN trained on CIFAR-10, CycleGAN fruit, Stable Diffusion 1 pictures, and crops of "
    "the photographs rebuilt by the tiny autoencoder of FLUX.2, by small autoencoders with five up-samplings, by SRGAN "
    "super-resolution (x2, x4, x8) and by simulated decoders; samples of SNGAN, CramerGAN, MMD-GAN and ProGAN faces at "
    "32 pixels. Both classes after the same random crops, resizing, blur, noise, JPEG and WebP."
)
NOT_GOOD_AT = (
    "Generators unlike these: with a family left out of training, detection ranges from sure (CycleGAN, SRGAN) to "
    "chance (FLUX.2 autoencoder; StyleGAN; Stable Diffusion after JPEG). Faces reduced several times, strong JPEG, "
    "halved images. Synthetic textures such as blurred noise, which may be called generated although no network made "
    "them. Images below 128 pixels on a side carry little evidence. No verdict is proof: inconclusive is common, and "
    "real means only that the traces of the generators in training were not found."
)
LICENCE = (
    "Weights: for non-commercial research and evaluation only, since some of the training images (FFHQ, CelebA, "
    "ImageNet) came with such terms. The code is MIT."
)


def build_model(
    table: Table,
    calibrated: Calibrated,
    pictures: Sequence[Picture],
    false_positives: dict[str, tuple[int, int, Interval]],
    metrics: tuple[MetricCard, ...],
    *,
    seed: int,
    output: Path,
) -> Model:
    """Train on every row and write the model file."""
    networks = fit_networks(table, np.arange(len(table)), seed)
    head, encode = _joined(networks), front_end()
    standardisation = Standardisation(networks.mean, networks.scale)
    distance, n_distance = _distance(table, standardisation)
    card = ModelCard(
        name=NAME,
        front_end=PartCard(encode.name, encode.config),
        head=PartCard(head.name, head.config),
        log_offset=encode.log_offset,
        min_size=encode.min_size,
        calibration=_calibration_card(calibrated),
        thresholds=_threshold_card(calibrated, false_positives),
        distance=DistanceCard(distance.name, DISTANCE_QUANTILE, distance.limit, n_distance, distance.config),
        trained_on=TRAINED_ON,
        not_good_at=NOT_GOOD_AT,
        licence=LICENCE,
        seed=seed,
        manifest_hash=_digest(pictures),
        configuration=_configuration(table, pictures),
        versions=versions(),
        metrics=metrics,
    )
    collected = [picture for picture in pictures if not picture.aligned]
    model = Model(
        card,
        front_end=encode,
        standardisation=standardisation,
        head=head,
        distance=distance,
        real_scores=calibrated.thresholds.real_scores,
        training_hashes=np.array([training_hash(picture.pixels) for picture in collected], np.uint64),
    )
    save_model(model, output)
    output.chmod(0o644)  # the library makes it readable to its owner only, and a wheel keeps that
    return model


def _calibration_card(calibrated: Calibrated) -> CalibrationCard:
    return CalibrationCard(
        calibrated.platt.slope,
        calibrated.platt.intercept,
        len(calibrated.real_rows),
        len(calibrated.fake_rows),
        "700 rows of each of seven sources of photographs and one of each fake, half as found and half after a "
        "random history, scored by the refits that left their source out",
        "a user's images come from a source that training never saw",
        FULL_PIXELS,
    )


def _threshold_card(calibrated: Calibrated, rates: dict[str, tuple[int, int, Interval]]) -> ThresholdCard:
    return ThresholdCard(
        calibrated.thresholds.fake_floor,
        len(calibrated.real_rows),
        len(calibrated.fake_rows),
        threshold_table(calibrated.thresholds),
        "real: the rows of the calibration; generated: the same fakes, scored by the refits that left out their group",
        tuple(
            RateCard(FPR, n, k, interval.low, interval.high, f"left-out source {source}, files as found")
            for source, (k, n, interval) in rates.items()
        ),
    )


def _configuration(table: Table, pictures: Sequence[Picture]) -> dict[str, Any]:
    counts = Counter((picture.source, picture.generator) for picture in pictures)
    return {
        "recipe": "recipes/default_model",
        "networks": NETWORKS,
        "hidden": HIDDEN,
        "epochs": EPOCHS,
        "rows": len(table),
        "pictures": {f"{source}/{generator}": n for (source, generator), n in sorted(counts.items())},
    }


def _joined(networks: Networks) -> MLPHead:
    """One network with the hidden units of all, whose output is the mean of theirs: the same sums in fewer products.

    Its first weights are rounded to half precision, which halves the file; the score moves in the third decimal.
    """
    first = np.concatenate([layers[0][0] for layers in networks.members], axis=1).astype(np.float16)
    first_bias = np.concatenate([layers[0][1] for layers in networks.members])
    second = np.concatenate([layers[1][0] for layers in networks.members]) / NETWORKS
    second_bias = np.mean([layers[1][1] for layers in networks.members], axis=0)
    return MLPHead([(first, first_bias), (second, second_bias)], "relu", CLIP)


def _distance(table: Table, standardisation: Standardisation) -> tuple[BandDistance, int]:
    """Fit to rows of both classes after every history, evenly over the table; the limit comes from as many others.

    What our own networks made stays out: nobody meets it, and some of its traces are so strong that beside them uniform
    noise would count as like the training images.
    """
    met = ~np.isin(table.generator, (REBUILT, *SAMPLED))
    rows = np.flatnonzero(met & ((table.condition == VIEW) | (table.condition == "clean")))
    fitted, others = rows[::8], rows[4::8]

    def statistics(chosen: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        parts = [chosen[start : start + 1024] for start in range(0, len(chosen), 1024)]
        found = [band_statistics(standardisation.apply(table.features[part].astype(np.float32))) for part in parts]
        return np.concatenate(found)

    distance = BandDistance.fit(statistics(fitted))
    parts = [others[start : start + 1024] for start in range(0, len(others), 1024)]
    measured = [distance.measure(standardisation.apply(table.features[part].astype(np.float32))) for part in parts]
    return distance.limited(float(np.quantile(np.concatenate(measured), DISTANCE_QUANTILE))), len(others)


def _digest(pictures: Sequence[Picture]) -> str:
    digest = hashlib.sha256()
    for picture in pictures:
        name = picture.path.name if picture.path else ""
        digest.update(f"{picture.source}\0{picture.generator}\0{picture.group}\0{name}\n".encode())
    return digest.hexdigest()
