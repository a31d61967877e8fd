"""``spectell dataset``: manifests, splits, packed arrays, the papers' crops, and a check for leaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spectell.cli.dataset_text import audit_lines, count_lines, lost_notes, split_counts, split_lines
from spectell.cli.figures import stage_progress
from spectell.cli.progress import Progress

if TYPE_CHECKING:
    from spectell.datasets import Manifest

__all__ = ["dataset"]

LEAKS_FOUND = 4
"""Exit status of ``audit --strict`` when it found a leak."""

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
workers_option = click.option("--workers", "-j", type=click.IntRange(min=1), help="Processes; all cores by default.")
real_option = click.option(
    "--real", metavar="NAME", help="Sub-folders with this name are real, instead of 'real' and '0_real'."
)


@click.group()
def dataset() -> None:
    """Manifests, splits, packed arrays, the papers' crops, and a check for leaks.

    A data set is a folder with a sub-folder per generator, one of them called real (or 0_real); a folder of such
    folders; or a manifest, a CSV or Parquet file with the columns path, label, generator, source, group, split, sha256.

    Example:

    \b
        spectell dataset build faces/ -o faces.csv
        spectell dataset split faces.csv -o faces-split.csv
        spectell dataset audit faces-split.csv
    """


@dataset.command()
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...", type=click.Path())
@click.option("--output", "-o", required=True, metavar="FILE", type=click.Path(), help="Manifest: .csv or .parquet.")
@real_option
@as_json_option
def build(folders: tuple[str, ...], output: str, real: str | None, as_json: bool) -> None:
    """Write a manifest of the images in folders.

    FOLDER has a sub-folder per generator, or is a folder of such folders. Several are one data set; each keeps its name
    as the source of its images. Only names and suffixes are looked at. What is left out is said on standard error. An
    existing manifest is replaced if it holds no splits; any other file never is.

    Example:

    \b
        spectell dataset build faces/ dogs/ -o all.csv
        spectell dataset build faces/ --real photographs -o faces.parquet
    """
    from spectell.cli.outputs import MANIFEST, check_output
    from spectell.datasets import read_datasets, write_manifest
    from spectell.datasets.manifest import holds_splits
    from spectell.errors import MismatchError

    check_output(output, MANIFEST, option="--output")
    if Path(output).exists() and holds_splits(Path(output)):
        raise MismatchError(
            f"--output would replace {output!r}, a manifest that holds splits, with one that has none; choose another "
            "name, or delete it"
        )
    manifest = read_datasets(folders, real=real)
    write_manifest(manifest, output)
    _report_manifest(manifest, output, as_json)


@dataset.command()
@click.argument("source", metavar="DATASET", type=click.Path())
@click.option("--output", "-o", required=True, metavar="FILE", type=click.Path(), help="Manifest: .csv or .parquet.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, another assignment.")
@click.option(
    "--fractions",
    nargs=3,
    type=float,
    default=(0.7, 0.15, 0.15),
    show_default=True,
    metavar="TRAIN VALIDATION TEST",
    help="Expected shares of the groups; they sum to 1.",
)
@click.option("--names-only", is_flag=True, help="Do not read the files to find copies; trust the column group.")
@workers_option
@as_json_option
def split(
    source: str,
    output: str,
    seed: int,
    fractions: tuple[float, float, float],
    names_only: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Assign the images of a manifest to train, validation and test.

    A group (one picture and all that was made from it) is never divided. Every file is read once to find copies and
    pictures that look the same; they become one group. The split of a group depends on its name and the seed alone, so
    images that are added later leave the others where they are.

    Example:

    \b
        spectell dataset split faces.csv -o faces-split.csv --fractions 0.8 0.1 0.1
    """
    from spectell.cli.outputs import MANIFEST, check_output
    from spectell.datasets import read_dataset, write_manifest
    from spectell.datasets.splits import DEFAULT_FRACTIONS, assign_splits
    from spectell.workflows.reading.fingerprints import IsolatedFingerprints

    check_output(output, MANIFEST, option="--output")
    shares = dict(zip(DEFAULT_FRACTIONS, fractions, strict=True))
    manifest, read = read_dataset(source, require_real=False), IsolatedFingerprints()
    with _progress(len(manifest)) as advance:
        divided = assign_splits(
            manifest,
            shares,
            seed,
            near_duplicates=not names_only,
            read=read,
            workers=workers,
            on_progress=advance,
        )
    write_manifest(divided, output)
    _report_manifest(divided, output, as_json, by_split=True, more=lost_notes(read.skipped))


@dataset.command()
@click.argument("source", metavar="DATASET", type=click.Path())
@click.option("--output", "-o", required=True, metavar="DIR", type=click.Path(), help="Folder for the two files.")
@click.option("--size", type=click.IntRange(min=1), metavar="N", help="Cut an N by N square from every centre.")
@real_option
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Processes; all cores by default.")
@as_json_option
def pack(source: str, output: str, size: int | None, real: str | None, workers: int | None, as_json: bool) -> None:
    """Decode a data set once, into one array on disk.

    DIR gets images.npy, (N, H, W, 3) uint8, and manifest.csv with a row for each. Images must have one size, or be cut
    to one with --size; nothing is resized.

    Example:

    \b
        spectell dataset pack faces.csv -o packed/ --size 128
    """
    from spectell.datasets import read_dataset
    from spectell.datasets.packed import pack as pack_manifest
    from spectell.workflows.reading.squares import IsolatedSquares

    manifest = read_dataset(source, real=real, require_real=False)
    _echo_notes(manifest.notes)
    with _progress(len(manifest)) as advance:
        packed = pack_manifest(manifest, output, size, read=IsolatedSquares(), workers=workers, on_progress=advance)
    shape = packed.images.shape
    if as_json:
        click.echo(json.dumps({"output": output, "shape": shape, "bytes": packed.images.nbytes}))
    else:
        click.echo(f"{output}: {shape[0]:,} images of {shape[1]}x{shape[2]}, {packed.images.nbytes / 1e6:,.1f} MB")


@dataset.command()
@click.argument("collection", metavar="COLLECTION", type=click.Choice(["celeba", "lsun", "ffhq"]))
@click.argument("source", metavar="IN", type=click.Path())
@click.argument("output", metavar="OUT", type=click.Path())
@click.option("--size", type=click.IntRange(min=8), required=True, metavar="N", help="Pixels a side.")
@workers_option
@click.option("--resume", is_flag=True, help="Go on with what an interrupted run left in OUT.")
@as_json_option
@click.pass_context
def prepare(
    ctx: click.Context,
    /,
    collection: str,
    source: str,
    output: str,
    size: int,
    workers: int | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Cut the photographs of a published collection as the papers do.

    COLLECTION is celeba, lsun or ffhq, and IN the folder of its images. celeba: 128 x 128 about the face of the aligned
    178 x 218 pictures. lsun: the largest square in the middle, up to 256. ffhq: the whole square, up to 1024. A smaller
    N is reached by shrinking (Lanczos); nothing is enlarged. OUT gets real/ with PNG files in the same sub-folders,
    manifest.csv and record.jsonl. Exit status: 0 done, 3 some files could not be used, 1 nothing could be done, 2 wrong
    usage.

    Example:

    \b
        spectell dataset prepare lsun bedrooms/ lsun128/ --size 128
    """
    from spectell.cli.perturb import echo_copies
    from spectell.workflows.prepare import prepare_images

    with stage_progress(shown=not as_json) as report:
        copies = prepare_images(collection, source, output, size, workers=workers, resume=resume, on_progress=report)
    echo_copies(ctx, output, copies, as_json=as_json)


@dataset.command()
@click.argument("source", metavar="DATASET", type=click.Path())
@click.option(
    "--limit", type=click.IntRange(min=1), default=500, show_default=True, help="Files to read of each class."
)
@click.option("--all", "read_all", is_flag=True, help="Read all files.")
@click.option("--files-only", is_flag=True, help="Leave out earlier JPEG, resizing and thumbnails; faster.")
@click.option("--html", metavar="FILE", type=click.Path(), help="Write a page that needs no network.")
@click.option("--strict", is_flag=True, help="Exit with status 4 when a leak is found.")
@real_option
@workers_option
@as_json_option
@click.pass_context
def audit(
    ctx: click.Context,
    /,
    source: str,
    limit: int,
    read_all: bool,
    files_only: bool,
    html: str | None,
    strict: bool,
    real: str | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Look for ways to tell the classes apart without looking at the pictures.

    Compares format, size, JPEG quality and subsampling, mode and marks of provenance of the real images with those of
    each generator; earlier JPEG compression and resizing, as pixels remember them; 8 x 8 thumbnails; looks for sources
    that hold one class only, and for copies across classes and splits. Says what to do about each. Exit status: 0 done,
    4 with --strict when there is a leak, 1 nothing could be done, 2 wrong usage.

    Example:

    \b
        spectell dataset audit faces.csv --strict --html audit.html
    """
    from spectell.datasets import read_dataset
    from spectell.workflows.audit import audit_manifest

    if html is not None:
        from spectell.cli.outputs import PAGE, check_output

        check_output(html, PAGE, option="--html")
    manifest = read_dataset(source, real=real, require_real=False)
    total = len(manifest) if read_all else min(len(manifest), limit * len(manifest.class_names))
    with _progress(total if files_only else 2 * total) as advance:
        report = audit_manifest(
            manifest,
            limit=None if read_all else limit,
            pixels=not files_only,
            workers=workers,
            on_progress=advance,
        )
    if html is not None:
        from spectell.reports.audit import render_audit
        from spectell.reports.page import write_page

        write_page(html, render_audit(report, source))
    if as_json:
        click.echo(json.dumps(report.as_dict(), allow_nan=False))
    else:
        _echo_notes(report.notes)
        click.echo("\n".join(audit_lines(report)))
    ctx.exit(LEAKS_FOUND if strict and report.leaks else 0)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    progress = Progress(total)
    done = 0

    def advance(number: int) -> None:
        nonlocal done
        done += number
        progress.update(done)

    try:
        yield advance
    finally:
        progress.clear()


def _report_manifest(
    manifest: Manifest, output: str, as_json: bool, *, by_split: bool = False, more: Sequence[str] = ()
) -> None:
    notes = (*manifest.notes, *more)
    if as_json:
        counts = split_counts(manifest) if by_split else manifest.counts()
        described = {"output": output, "images": len(manifest), "counts": counts, "notes": notes}
        click.echo(json.dumps(described))
        return
    _echo_notes(notes)
    click.echo("\n".join(split_lines(manifest) if by_split else count_lines(manifest)))
    click.echo(f"{output}: {len(manifest):,} images")


def _echo_notes(notes: Sequence[str]) -> None:
    for note in notes:
        click.echo(f"Note: {note}", err=True)
