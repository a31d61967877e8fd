"""``spectell spectrum``: mean spectra of sets of images, and how they differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from spectell.cli.figures import stage_progress
from spectell.reports.numbers import NO_BREAK, tenths
from spectell.workflows.workers.threads import keep_to_one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spectell.workflows.mean_spectra.study import SetSpectra, SpectrumStudy, TileSpectra

__all__ = ["spectrum"]

_INTERRUPTED = 130
_SHOWN_PEAKS = 5


@click.command()
@click.argument("datasets", nargs=-1, metavar="DATASET...")
@click.option("--output", "-o", required=True, metavar="DIR", help="Folder for the results.")
@click.option("--reference", metavar="NAME", help="Set to compare with; the only real one, else the first, by default.")
@click.option("--merge", multiple=True, metavar="FILE...", help="Add the spectra.npz of other runs.")
@click.option("--limit", type=click.IntRange(min=1), help="Images a set at most, chosen at random.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of that choice.")
@click.option("--real", metavar="NAME", help="Sub-folder that is real, if it is not called real or 0_real.")
@click.option("--lossless", multiple=True, metavar="NAME", help="Set that never was stored with loss; may be repeated.")
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Processes; all cores by default.")
@click.option("--figures/--no-figures", default=True, show_default=True, help="Draw PNG, PDF and a page.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def spectrum(
    ctx: click.Context,
    /,
    datasets: tuple[str, ...],
    output: str,
    merge: tuple[str, ...],
    figures: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Mean spectra of sets of images, and how they differ.

    DATASET is a folder with a sub-folder per generator (one of them called real), a folder of such folders, a plain
    folder of images, or a manifest (.csv or .parquet). With --merge it may also be the spectra.npz of another run. DIR
    gets spectra.npz with every array, spectra.json with every other number, figures and index.html; older ones are
    replaced. An interrupted run goes on when the same command is given again.

    Example:

    \b
        spectell spectrum faces/ -o spectra/
        spectell spectrum faces/real faces/stylegan --reference real --limit 10000 -o spectra/
        spectell spectrum --merge machine1/spectra.npz machine2/spectra.npz -o spectra/
    """
    if merge:  # --merge a.npz b.npz: a shell's list of files follows the option
        merge += tuple(name for name in datasets if name.endswith(".npz"))
        datasets = tuple(name for name in datasets if not name.endswith(".npz"))
    if not datasets and not merge:
        raise click.UsageError("name a data set, or a result to add with --merge FILE")
    from spectell.images import describe_path

    keep_to_one_thread()  # workers share the cores
    try:
        study = _study(datasets, output, merge, figures=figures, quiet=as_json, **options)
    except KeyboardInterrupt:
        click.echo(f"\nInterrupted; the same command goes on with what is in {describe_path(output)}.", err=True)
        ctx.exit(_INTERRUPTED)
    if as_json:
        from spectell.workflows.spectrum import study_as_dict

        click.echo(json.dumps(study_as_dict(study), allow_nan=False))
        return
    for note in study.notes:
        click.echo(f"Note: {describe_path(note)}.", err=True)
    click.echo("\n".join(map(describe_path, _lines(study))))  # a result that is merged may hold any name
    click.echo(f"Wrote {describe_path(output)}.", err=True)


def _study(
    datasets: tuple[str, ...], output: str, merge: tuple[str, ...], *, figures: bool, quiet: bool, **options: Any
) -> SpectrumStudy:
    from spectell.workflows.spectrum import spectrum as measure

    if figures:  # what would stop them at the end is said at the beginning
        from spectell.workflows.mean_spectra.drawn import PAGE, require_ours

        require_ours(output, [PAGE])
    with stage_progress(shown=not quiet) as report:
        study = measure(datasets, output, merge=merge, on_progress=report, **options)
    if figures:
        from spectell.reports.spectrum import write_spectrum_report

        write_spectrum_report(study, output)
    return study


def _lines(study: SpectrumStudy) -> Iterator[str]:
    for each in study.sets:
        yield from _set_lines(each, study)
    for each in study.sets:
        if each.name != study.reference:
            yield from _compared_lines(each, study)


def _set_lines(each: SetSpectra, study: SpectrumStudy) -> Iterator[str]:
    reference = "  (reference)" if each.name == study.reference else ""
    sizes = ", ".join(f"{full.name}: {full.count:,}" for full in each.full) or "none"
    yield f"{each.name}{reference}: {each.facts.n_images:,} images; with full-size spectra: {sizes}"
    for tiles in each.tiles[:1]:
        law = tiles.radial.power_law
        if law is None:
            yield "  no power to fit a power law to"
        else:
            exponent, low, high = (f"{-value:z.2f}" for value in (law.exponent, law.high, law.low))
            yield f"  power goes as frequency to the power of {exponent} ({low} to {high})"
        peaks = tiles.peaks.peaks
        yield f"  peaks: {len(peaks) or 'none'}" + (
            f", the highest {_SHOWN_PEAKS}:" if len(peaks) > _SHOWN_PEAKS else ""
        )
        for peak, meaning in list(zip(peaks, tiles.meanings, strict=True))[:_SHOWN_PEAKS]:
            place = f"{peak.vertical:+.3f} down, {peak.horizontal:.3f} across"
            yield f"    {place} cycles per pixel, {peak.height_db:.1f} dB: {meaning}"
        yield from _activity_lines(tiles)


def _activity_lines(tiles: TileSpectra) -> Iterator[str]:
    from spectell.spectra.peak_meaning import group_peaks

    found = group_peaks(tiles.activity.search.peaks) if tiles.activity is not None else ()
    for grid in found[:1]:
        period = "no grid" if grid.period is None else f"a grid of {grid.period} pixels"
        yield f"  in the activity: {period}, {len(grid.peaks)} peaks, up to {grid.peaks[0].height_db:.1f} dB"


def _compared_lines(each: SetSpectra, study: SpectrumStudy) -> Iterator[str]:
    from spectell.reports.spectrum_tables import has_spread, largest_effect

    for kind, channel in (("log", "grey"), ("blocks", "luma")):
        found = study.compared(each.name, kind, channel)
        if found is None:
            continue
        said = f"{tenths(found.share_significant).replace(NO_BREAK, ' ')} of coefficients differ"
        largest = largest_effect(found)
        if not has_spread(found):
            said = "not comparable, since the images of a set do not differ from each other"
        elif largest is not None:
            effect, low, high = largest
            said += (
                f", the largest by {effect:+.2f} standard deviations, pointwise 95 % interval {low:+.2f} to {high:+.2f}"
            )
        yield f"{each.name} against {study.reference}, {found.size} {kind} {channel}: {said}"
