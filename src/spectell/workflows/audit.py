"""A look for leaks: what would let a detector tell the classes apart without looking for a generator's trace.

Five kinds: facts about the files (format, size, JPEG tables, marks of provenance) that differ between the classes; what
the pixels remember of an earlier life (a JPEG saved as PNG, a photograph enlarged); what the pictures show, as far as
8 x 8 thumbnails tell; sources that hold one class only; pictures that are on both sides of a split, or carry both
labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from spectell.datasets import REAL, Manifest
from spectell.datasets.duplicates import Fingerprints, connected, fingerprint
from spectell.errors import ManifestError, ParameterError
from spectell.evaluation.intervals import Interval
from spectell.images import ImageFacts
from spectell.workflows.auditing.pixel_traces import TRACES, PixelTraces, read_traces, trace_features, trace_values
from spectell.workflows.auditing.report import AuditReport, ClassFacts, Comparison, DuplicateCounts, Leak
from spectell.workflows.file_facts import FACTS, fact_separation, fact_values, separation
from spectell.workflows.reading.fingerprints import IsolatedFingerprints
from spectell.workflows.reading.image_passes import read_file

__all__ = [
    "LEAK_AUC",
    "THUMBNAIL_AUC",
    "AuditReport",
    "ClassFacts",
    "Comparison",
    "DuplicateCounts",
    "Leak",
    "audit_manifest",
]

LEAK_AUC = 0.55
"""A fact, or a trace, leaks when the lower end of its AUC's 95 % interval is above this."""

THUMBNAIL_AUC = 0.6
"""The same for thumbnails, which differ a little between any two collections of pictures."""

REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "format": "give both classes one history: decode all and save them alike, in one format",
        "size": "crop both classes to one size (spectell dataset pack --size N); never resize one of them",
        "JPEG quality": "save both classes as JPEG once more, at qualities drawn alike",
        "JPEG subsampling": "save both classes as JPEG once more, with one subsampling",
        "mode": "decode all to RGB (spectell dataset pack) before training",
        "JPEG grid": "give both classes one history: crop all at random offsets, then save all as JPEG alike",
        "JPEG quality in pixels": "save both classes as JPEG once more, at qualities drawn alike and none above the "
        "earlier ones",
        "resizing": "resize neither class; where it is the generator's own up-sampling, this is the trace itself",
        "thumbnails": "collect photographs of the same subjects, or reconstruct the photographs (spectell generate "
        "reconstruct); judge a detector on subjects that it has not met",
        "provenance": "nothing, for detectors that see pixels alone; keep these marks away from any other",
    }
)
"""What to do about a fact that leaks."""

_SHOWN_VALUES = 3

T = TypeVar("T")
IntArray = npt.NDArray[np.int64]


def audit_manifest(
    manifest: Manifest,
    *,
    limit: int | None = 500,
    pixels: bool = False,
    pixel_limit: int | None = None,
    workers: int | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> AuditReport:
    """Look for leaks between the classes and the splits of a data set.

    Parameters
    ----------
    manifest : Manifest
        The images, of one class or more.
    limit : int or None
        Files to read of each generator, and of the real images; they are chosen by the hash of their group, so that
        pictures of one group are chosen together, and the choice stays when images are added. None reads all.
    pixels : bool
        Whether to look at earlier JPEG compression, resizing and thumbnails too; every file is decoded once more.
    pixel_limit : int or None
        Files of each class to look at so, chosen alike among those that were read. None looks at all of them.
    workers : int, optional
        Processes, and threads for what they have read without harm; by default one per core.
    on_progress : callable, optional
        Called with the number of files read since the last call.

    Returns
    -------
    report : AuditReport
        Without images of both classes it has counts, but nothing to compare.

    Raises
    ------
    ManifestError
        If no examined file can be read.
    ParameterError
        If a limit is not positive.

    Notes
    -----
    Where processes cannot be forked (macOS, Windows, a program with threads or with torch loaded) a script must call
    this below ``if __name__ == "__main__":``.

    References
    ----------
    .. [1] Grommelt, Weiss, Pfreundt, Keuper (2024). Fake or JPEG? Revealing common biases in generated image detection
       datasets. :arxiv:`2403.17608`
    """
    sample = _sampled(manifest, limit)
    read = IsolatedFingerprints(read_file)
    prints = fingerprint(sample, with_facts=True, read=read, workers=workers, on_progress=on_progress)
    if len(prints.unreadable) == len(sample):
        raise ManifestError(f"none of the {len(sample)} examined files can be read as an image; check the data set")
    readable = np.array([facts is not None for facts in prints.facts], dtype=bool)
    facts = [facts for facts in prints.facts if facts is not None]
    chosen = sample.select(readable)
    looked_at = _sampled(chosen, pixel_limit)
    traces = read_traces(looked_at, workers=workers, on_progress=on_progress) if pixels else []
    comparisons = tuple(_compared(facts, chosen))
    if pixels:
        comparisons = tuple(_with_pixels(compared, traces, looked_at) for compared in comparisons)
    copies = _duplicates(sample, prints)
    leaks = (*_split_leaks(manifest, copies), *_source_leaks(manifest), *_fact_leaks(comparisons, facts, chosen))
    return AuditReport(
        images=len(manifest),
        examined=len(sample),
        unreadable=len(prints.unreadable),
        classes=tuple(
            _with_traces(each, traces, looked_at) if pixels else each
            for each in (_class_facts(name, manifest, chosen, facts) for name in manifest.class_names)
        ),
        comparisons=comparisons,
        duplicates=copies,
        leaks=(*leaks, *_pixel_leaks(comparisons, traces, looked_at)),
        notes=(*manifest.notes, *prints.notes(sample.paths)),
        pixels=pixels,
        limits={"facts": LEAK_AUC, "thumbnails": THUMBNAIL_AUC},
    )


def _sampled(manifest: Manifest, limit: int | None) -> Manifest:
    """Select the first groups of every class, in the order of the groups' hashes, kept in the manifest's order."""
    if limit is None:
        return manifest
    if limit < 1:
        raise ParameterError(f"limit must be a positive number of files, or None for all, got {limit}")
    order = np.argsort(manifest.group_hashes, kind="stable")
    generators = manifest.generators[order]
    chosen = [order[generators == name][:limit] for name in manifest.class_names]
    return manifest.select(np.sort(np.concatenate(chosen)).astype(np.int64))


def _class_facts(name: str, manifest: Manifest, chosen: Manifest, facts: Sequence[ImageFacts]) -> ClassFacts:
    own = chosen.generators == name
    values = {fact: dict(fact_values(_of(facts, own), fact).most_common()) for fact in FACTS}
    return ClassFacts(name, int((manifest.generators == name).sum()), int(own.sum()), values)


def _with_traces(facts: ClassFacts, traces: Sequence[PixelTraces], looked_at: Manifest) -> ClassFacts:
    own = _of(traces, looked_at.generators == facts.generator)
    if not own:
        return facts
    remembered = {trace: dict(trace_values(own, trace).most_common()) for trace in TRACES}
    thumbnail = np.mean([each.thumbnail for each in own], axis=0)
    return replace(facts, traces=remembered, mean_thumbnail=thumbnail.round(1).tolist())


def _of(items: Sequence[T], mask: npt.NDArray[np.bool_]) -> list[T]:
    return [items[row] for row in np.flatnonzero(mask).tolist()]


def _compared(facts: Sequence[ImageFacts], chosen: Manifest) -> Iterator[Comparison]:
    labels, groups, generators = chosen.labels, chosen.groups, chosen.generators
    is_jpeg = np.array([each.format == "JPEG" for each in facts], dtype=bool)
    for name in chosen.class_names:
        if name == REAL:
            continue
        pair = (generators == name) | (labels == 0)

        def by_facts(mask: npt.NDArray[np.bool_], names: Sequence[str]) -> Interval | None:
            return fact_separation(_of(facts, mask), labels[mask], groups[mask], names)

        by_fact = {fact: by_facts(pair & is_jpeg if fact.startswith("JPEG") else pair, [fact]) for fact in FACTS}
        yield Comparison(name, by_facts(pair, tuple(FACTS)), by_fact)


def _with_pixels(compared: Comparison, all_traces: Sequence[PixelTraces], looked_at: Manifest) -> Comparison:
    pair = (looked_at.generators == compared.generator) | (looked_at.labels == 0)
    traces, labels, groups = _of(all_traces, pair), looked_at.labels[pair], looked_at.groups[pair]
    told = np.array([each.measured for each in traces], dtype=bool)  # others differ in their size, which is a fact
    by_trace = {
        trace: separation(trace_features(_of(traces, told), trace), labels[told], groups[told]) for trace in TRACES
    }
    thumbnails = np.array([np.ravel(each.thumbnail) for each in traces], dtype=np.float64)
    return replace(compared, by_trace=by_trace, thumbnails=separation(thumbnails, labels, groups, linear=True))


def _duplicates(sample: Manifest, prints: Fingerprints) -> DuplicateCounts:
    files = connected(len(sample), prints.exact_pairs())
    pictures = prints.pictures()
    labels, splits = sample.labels, sample.splits
    return DuplicateCounts(
        exact=len(sample) - len(np.unique(files)),
        near=len(sample) - len(np.unique(pictures)),
        exact_across_classes=_divided(files, labels),
        near_across_classes=_divided(pictures, labels),
        across_splits=_divided(pictures[splits != ""], splits[splits != ""]),
    )


def _divided(pictures: IntArray, sides: npt.NDArray[np.generic]) -> int:
    """Count the pictures that occur on more than one side."""
    if not len(pictures):
        return 0
    codes = np.unique(sides, return_inverse=True)[1]
    pairs = np.unique(np.stack([pictures, codes.reshape(-1)]), axis=1)
    return int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())


def _split_leaks(manifest: Manifest, copies: DuplicateCounts) -> Iterator[Leak]:
    if copies.exact_across_classes:
        yield Leak(
            "files with both labels",
            f"{copies.exact_across_classes:,} files occur, byte for byte, as real and as generated",
            "find out which label is right and take the other out",
        )
    named = manifest.splits != ""
    divided = _divided(manifest.groups[named], manifest.splits[named])
    if divided:
        yield Leak(
            "groups across splits",
            f"{divided:,} groups have images in more than one split",
            "assign the splits anew (spectell dataset split)",
        )
    if copies.across_splits:
        yield Leak(
            "copies across splits",
            f"{copies.across_splits:,} pictures of those examined look the same in more than one split",
            "assign the splits anew (spectell dataset split), which keeps copies together",
        )


def _source_leaks(manifest: Manifest) -> Iterator[Leak]:
    counts = manifest.counts()
    photographed = [source for source, numbers in counts.items() if REAL in numbers]
    for name in manifest.class_names:
        sources = [source for source, numbers in counts.items() if name in numbers]
        if name != REAL and photographed and not set(sources) & set(photographed):
            yield Leak(
                f"source of {name}",
                f"{name} comes from {_listed(sources)}, without a photograph; real comes from {_listed(photographed)}",
                "compare with photographs of the same subjects, collected alike, or with reconstructions of the "
                "photographs: otherwise what the pictures show tells the classes apart",
            )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN_VALUES]) + (
        f" and {len(names) - _SHOWN_VALUES} more" if len(names) > _SHOWN_VALUES else ""
    )


def _fact_leaks(comparisons: Sequence[Comparison], facts: Sequence[ImageFacts], chosen: Manifest) -> Iterator[Leak]:
    for comparison in comparisons:
        name = comparison.generator
        single = [fact for fact, auc in comparison.by_fact.items() if auc is not None and auc.low > LEAK_AUC]
        for fact in single:
            shares = "; ".join(
                f"{kind} {_shares(fact, _of(facts, chosen.generators == kind))}" for kind in (REAL, name)
            )
            evidence = f"{shares}; this alone separates them with AUC {comparison.by_fact[fact]}"
            yield Leak(f"{fact} of {name}", evidence, REMEDIES[fact])
        if not single and comparison.auc is not None and comparison.auc.low > LEAK_AUC:
            yield Leak(
                f"file facts of {name}",
                f"no single one, but all together separate {name} from real with AUC {comparison.auc}",
                REMEDIES["format"],
            )


def _pixel_leaks(
    comparisons: Sequence[Comparison], traces: Sequence[PixelTraces], looked_at: Manifest
) -> Iterator[Leak]:
    for comparison in comparisons:
        name = comparison.generator
        for trace, auc in comparison.by_trace.items():
            if auc is not None and auc.low > LEAK_AUC:
                shares = "; ".join(
                    f"{kind} {_counted(trace_values(_of(traces, looked_at.generators == kind), trace))}"
                    for kind in (REAL, name)
                )
                evidence = f"{shares}; this alone separates them with AUC {auc}"
                yield Leak(f"{trace} of {name}", evidence, REMEDIES[trace])
        if comparison.thumbnails is not None and comparison.thumbnails.low > THUMBNAIL_AUC:
            evidence = f"8 x 8 pixels of each picture separate {name} from real with AUC {comparison.thumbnails}"
            yield Leak(f"thumbnails of {name}", evidence, REMEDIES["thumbnails"])


def _shares(fact: str, facts: Sequence[ImageFacts]) -> str:
    return _counted(fact_values(facts, fact))


def _counted(counts: Counter[str]) -> str:
    parts = [f"{value} {number / counts.total():.0%}" for value, number in counts.most_common(_SHOWN_VALUES)]
    return ", ".join(parts) + (f" and {len(counts) - _SHOWN_VALUES:,} others" if len(counts) > _SHOWN_VALUES else "")
