"""What a report on one image says in words: short sentences of what was measured, and no more than that.

Whoever reads them may accuse a photographer. So nothing is called a proof, every share has its number behind it, and
what the model cannot know is said where it matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spectell.evaluation.thresholds import MISS_RATE
from spectell.reports.numbers import of_hundred, percent, plain, signed
from spectell.workflows.explaining.comparison import FEW_BLOCKS
from spectell.workflows.explaining.reasons import BANDS
from spectell.workflows.verdict import probability

if TYPE_CHECKING:
    from spectell.detectors.card import RateCard
    from spectell.workflows.explaining.comparison import Comparison
    from spectell.workflows.explaining.evidence import EvidenceMap
    from spectell.workflows.explaining.image_peaks import ImagePeaks
    from spectell.workflows.explaining.reasons import Reasons
    from spectell.workflows.explaining.standing import Standing
    from spectell.workflows.explaining.trials import Trial

__all__ = [
    "BAND_MEANINGS",
    "HEADLINES",
    "KIND_NAMES",
    "MEANINGS",
    "SHAPES",
    "TOO_SMALL",
    "evidence_sentence",
    "measured_sentence",
    "peaks_sentence",
    "profile_sentence",
    "rate_sentence",
    "reasons_sentence",
    "spectrum_sentence",
    "standing_sentences",
    "steps",
    "trials_sentence",
    "unshared_sentence",
]

SHAPES = {"generated": "▲", "real": "●", "inconclusive": "◆", "error": "✕"}
"""A sign for each verdict, so that none rests on colour."""

HEADLINES = {
    "generated": "Generated",
    "real": "Real",
    "inconclusive": "Inconclusive",
}
MEANINGS = {
    "generated": "The score is as high as only few real photographs reach. A reason to look closer, not a proof.",
    "real": "The traces of the generators that this model knows were not found. Others may leave none that "
    "it looks for.",
    "inconclusive": "This spectrum does not tell. That is a frequent and honest answer, and no suspicion.",
}
TOO_SMALL = "The picture is smaller than this model can judge and has no score. That says nothing about it, either way."
"""What stands in the place of the meaning where there is no score."""

KIND_NAMES = {
    "luma": "brightness spectrum",
    "colour": "colour spectrum",
    "cooccurrence": "neighbouring pixels",
    "pixels": "pixel values",
}
"""Names of the kinds of features (`spectell.detectors.layout`)."""

BAND_MEANINGS = {name: meaning for name, meaning, _ in BANDS}


def rate_sentence(standing: Standing) -> str:
    """Say what the false-positive rate means, and on how many photographs it rests."""
    return (
        f"At this setting at most {percent(standing.fpr)} of real photographs, of the kinds that the model was "
        f"calibrated on, are called generated: about {1000 * standing.fpr:.3g} in 1,000. "
        f"The threshold rests on {standing.n_real:,} scores of real photographs."
    )


def standing_sentences(standing: Standing) -> list[str]:
    """Say where the score stands."""
    as_high = {0: "none is", 1: "one is"}.get(standing.n_as_high, f"{standing.n_as_high:,} are")
    return [
        f"Of the {standing.n_real:,} scores of real photographs that the model was calibrated with, {as_high} at least "
        f"as high as that of this image: {percent(standing.share_as_high)}, with this image counted among them.",
        f"The score is {plain(standing.score)} (probability {percent(probability(standing.score))}). The verdict is "
        f"“generated” from {plain(standing.threshold)} ({percent(probability(standing.threshold))}) on, “real” up to "
        f"{plain(standing.floor)} ({percent(probability(standing.floor))}), the score below which at most "
        f"{percent(MISS_RATE)} of {standing.n_generated:,} generated validation images lie, and inconclusive between.",
    ]


def measured_sentence(standing: Standing) -> str:
    """Say what rate was measured on photographs of unknown sources; empty where the card has none."""
    if standing.overall is None or standing.worst is None:
        return ""
    text = (
        "Measured at this setting on photographs of sources that training had not seen: "
        f"{_rate(standing.overall)} were called generated"
    )
    if standing.worst is standing.overall:
        return f"{text}."
    return f"{text}; on the least favourable of them ({standing.worst.data}) {_rate(standing.worst)}."


def _rate(rate: RateCard) -> str:
    return (
        f"{rate.exceeded:,} of {rate.n:,} ({percent(rate.exceeded / rate.n)}, "
        f"95 % interval {percent(rate.low)} to {percent(rate.high)})"
    )


def trials_sentence(trials: Sequence[Trial]) -> str:
    """Say whether the verdict holds after what web sites do to pictures."""
    found = trials[0].judgement.verdict
    if not trials[0].judged:
        return "The image is too small for the model to begin with."
    changed = [trial for trial in trials[1:] if trial.judged and trial.judgement.verdict != found]
    small = [trial for trial in trials[1:] if not trial.judged]
    if changed:
        text = "; ".join(f"{trial.name}, the same picture would be {trial.judgement.verdict}" for trial in changed)
        text = (
            f"The verdict changes: {text}. What it rests on does not survive what web sites do to pictures, so judge "
            "the oldest copy that can be had."
        )
    else:
        text = "The verdict stays the same after what could be tried here."
    if small:
        sizes = ", ".join(f"{trial.width} × {trial.height}" for trial in small)
        text += f" Halved, the picture ({sizes} pixels) is below the smallest size that the model judges."
    return text


def steps(reasons: Reasons) -> list[tuple[str, float]]:
    """List the steps from the start to the score: each band of each spectrum, then what has no frequency."""
    found = []
    for kind, total in reasons.kinds.items():
        if kind in reasons.bands:
            found += [(f"{_short(kind)}, {band}", value) for band, value in reasons.bands[kind].items()]
        else:
            found.append((_short(kind), total))
    return found


def _short(kind: str) -> str:
    return KIND_NAMES[kind].removesuffix(" spectrum")


def reasons_sentence(reasons: Reasons) -> str:
    """Say which kinds of features moved the score, and which bands moved it most."""
    kinds = ", ".join(
        f"the {KIND_NAMES[kind]} by {signed(value)}" for kind, value in sorted(reasons.kinds.items(), key=_size)
    )
    text = (
        f"From {plain(reasons.start)}, the score that {reasons.starts_from} would have at this image's size, the score "
        f"of this image ({plain(reasons.score)}) is reached by what its features differ in: {kinds}. "
    )
    bands = [(kind, band, value) for kind, parts in reasons.bands.items() for band, value in parts.items()]
    if not bands:
        return text
    kind, band, value = max(bands, key=lambda part: abs(part[2]))
    direction = "generated" if value > 0 else "real"
    return text + (
        f"The largest single part is the {KIND_NAMES[kind]} at {BAND_MEANINGS[band]}: {signed(value)}, "
        f"towards “{direction}”."
    )


def unshared_sentence(head: str) -> str:
    """Say that a model's score cannot be shared among its features, by the name of its head."""
    how = {
        "nearest": "the images of its training that are nearest",
        "fingerprint": "how this image's noise correlates with a fingerprint of each class",
        "linear_classes": "the best of several classes",
        "network": "a deep network",
    }.get(head, "something else than weights or a small network")
    return (
        f"This model judges by {how}. Its score is no sum that could be shared among frequencies, so this section says "
        "nothing; all others hold."
    )


def _size(item: tuple[str, float]) -> float:
    return -abs(item[1])


def spectrum_sentence(found: Comparison) -> str:
    """Say how far the spectrum lies from that of photographs."""
    band, value = max(found.bands["luma"].items(), key=lambda item: abs(item[1]))
    side = "above" if value > 0 else "below"
    text = (
        f"Over all frequencies the brightness spectrum departs from the mean of real photographs by "
        f"{found.deviation:.2f} standard deviations (root mean square); {of_hundred(found.share_below)} "
        f"photographs depart less. It is farthest from the mean at {BAND_MEANINGS[band]}: on average {abs(value):.1f} "
        f"standard deviations {side}."
    )
    if found.n_blocks < FEW_BLOCKS:
        blocks = "a single block" if found.n_blocks == 1 else f"only {found.n_blocks} overlapping blocks"
        text += (
            f" The image holds {blocks} of 32 × 32 pixels, so its spectrum is noisy; it is compared with windows of "
            "photographs that are as small."
        )
    return text


def profile_sentence(found: Comparison) -> str:
    """Say where the radial profile leaves the band of photographs."""
    below, above = found.outside
    rings = len(found.frequencies)
    if not below + above:
        return f"At all {rings} frequencies it lies within the band that 90 of 100 photographs keep to."
    number = f"all {rings}" if rings in (below, above) else f"{below or above} of {rings}"
    lies = "below" if below else "above"
    both = f" and at {above} above" if below and above else ""
    return (
        f"At {number} frequencies it lies {lies}{both} the band that 90 of 100 photographs keep to; at each single "
        "frequency one photograph in ten leaves it."
    )


def peaks_sentence(found: ImagePeaks) -> str:
    """Say how many peaks there are and how often chance makes one."""
    chance = f"In a spectrum without peaks chance shows one with a probability of at most {percent(found.false_alarm)}."
    if not found.count:
        return f"No narrow peak stands out of the spectrum. {chance}"
    number = "One narrow peak stands" if found.count == 1 else f"{found.count} narrow peaks stand"
    return f"{number} out of the spectrum. {chance} What made them, a spectrum alone cannot say."


def evidence_sentence(found: EvidenceMap) -> str:
    """Say how many tiles point where."""
    counts = found.counts()
    total = found.scores.size
    return (
        f"Of {total} tiles of {found.side} × {found.side} pixels, judged one by one, {counts['generated']} point "
        f"clearly towards “generated”, {counts['real']} clearly towards “real”, and {counts['neither']} to neither."
    )
