"""``spectell demo``: the main job on input that everybody has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spectell.workflows.workers.threads import keep_to_one_thread

if TYPE_CHECKING:
    from spectell.workflows.demo import DemoResult

__all__ = ["demo"]


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    help="Folder for the images and the picture of their spectra.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def demo(output: Path, as_json: bool) -> None:
    """Judge a few photographs and a few images made on the spot, and show both spectra.

    The photographs come with scikit-learn and matplotlib; tiny generators that come with Spectell make the other
    images. Nothing is downloaded. The folder gets a sub-folder with the photographs, one for each generator, and
    spectra.png: the mean spectra of both kinds side by side. Pictures of an earlier demonstration are replaced, other
    files never.

    Example:

    \b
        spectell demo -o demo-output
    """
    keep_to_one_thread()  # products are small: threads would wait for each other
    from spectell.cli.outputs import FileKind, check_output
    from spectell.figures.spectra import plot_spectrum_pair
    from spectell.workflows.demo import PICTURE_TITLE, is_demo_picture, run_demo

    picture = output / "spectra.png"
    check_output(picture, FileKind("a picture of the demonstration", "", is_demo_picture), option="--output")
    result = run_demo(output)
    figure = plot_spectrum_pair(result.real_spectrum, result.generated_spectrum)
    figure.savefig(picture, dpi=150, metadata={"Title": PICTURE_TITLE})
    if as_json:
        rows = [row.as_dict() for row in result.rows]
        click.echo(json.dumps({"counts": result.counts, "spectra": str(picture), "rows": rows}, allow_nan=False))
    else:
        click.echo(_as_table(result))
        click.echo(f"The images are in {output}, their mean spectra side by side in {picture}.")


def _as_table(result: DemoResult) -> str:
    from spectell.cli.table import table_header, table_row

    lines = [f"{'truth':10}  {'outcome':12}  {table_header()}"]
    lines += [f"{row.truth:10}  {row.outcome:12}  {table_row(row.verdict)}" for row in result.rows]
    counted = ", ".join(f"{number} {outcome}" for outcome, number in result.counts.items())
    asked = 100 * result.rows[0].verdict.fpr
    lines += ["", f"{len(result.rows)} images: {counted}; thresholds for a false-positive rate of {asked:.3g} %."]
    return "\n".join(lines)
