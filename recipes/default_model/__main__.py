"""Make the default model: ``python -m recipes.default_model DATA``, with DATA the folder of images and weights.

Needs the [torch] extra, about 6 GB of memory, and about an hour on two quiet cores, a quarter of it for the networks
that make aligned fakes. What is in the work folder already is not made again.
"""

import argparse
import json
from pathlib import Path

from recipes.default_model.baselines import BASELINES, baseline_fit
from recipes.default_model.build import build_model
from recipes.default_model.calibrate import calibrate, false_positives
from recipes.default_model.corpus import Picture, aligned_pictures, collected_pictures
from recipes.default_model.features import tabulate
from recipes.default_model.made import rebuilt_pictures, sampled_pictures
from recipes.default_model.report import figures_page, measure_cells, metric_cards
from recipes.default_model.store import kept_pictures
from recipes.default_model.study import network_fit, run_study
from recipes.default_model.table import Table, load_table
from spectell.detectors.artifact import DEFAULT_MODEL

SEED = 2020


def main() -> None:
    """Run every step that is not done yet, then write the model, its figures, and the tables of the documentation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, default=Path("out/default-model"), help="folder of intermediate results")
    parser.add_argument("-o", "--output", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--figures", type=Path, default=Path("docs/default-model-figures.md"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    pictures, table = _pictures_and_table(options.data, options.work)
    print("refits", flush=True)
    study = run_study(table, network_fit(table, SEED), options.work / "study", "model")
    baselines = {
        name: run_study(table, baseline_fit(table, columns), options.work / "study", name.replace(" ", ""))
        for name, columns in BASELINES.items()
    }
    calibrated = calibrate(table, study)
    rates = false_positives(table, calibrated, study)
    print("figures", flush=True)
    cells = list(measure_cells(table, study, baselines, calibrated, SEED))
    results = {
        "cells": [cell.as_dict() for cell in cells],
        "false_positives": {name: (k, n, i.estimate, i.low, i.high) for name, (k, n, i) in rates.items()},
    }
    (options.work / "results.json").write_text(json.dumps(results, indent=1))
    options.figures.write_text(figures_page(cells, rates))
    print("final refit", flush=True)
    model = build_model(table, calibrated, pictures, rates, metric_cards(cells), seed=SEED, output=options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB, {len(model.training_hashes)} hashes")


def _pictures_and_table(data: Path, work: Path) -> tuple[list[Picture], Table]:
    print("pictures", flush=True)
    collected = collected_pictures(data)
    aligned = kept_pictures(work / "aligned.npy", lambda: aligned_pictures(data, collected, SEED))
    crops = [picture for picture in aligned if not picture.generated]
    photographs = data / "photos" / "real"
    rebuilt = kept_pictures(work / "rebuilt.npy", lambda: rebuilt_pictures(crops, photographs, work, SEED))
    sampled = kept_pictures(work / "sampled.npy", lambda: sampled_pictures(collected, SEED))
    print("features", flush=True)
    parts = {"collected": collected, "aligned": aligned, "rebuilt": rebuilt, "sampled": sampled}
    for number, (name, pictures) in enumerate(parts.items()):
        tabulate(pictures, work / name, SEED + number)
    return [picture for part in parts.values() for picture in part], load_table([work / name for name in parts])


if __name__ == "__main__":
    main()
