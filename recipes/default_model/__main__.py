"""Make the default model: ``python -m recipes.default_model DATA``, with DATA the folder of images and weights.

Needs the [torch] extra and about 6 GB of memory; on two quiet cores the networks that make aligned fakes take a quarter
of an hour and everything else another half. What is in the work folder already is not made again.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from recipes.default_model.baselines import BASELINES, baseline_fit
from recipes.default_model.build import build_model
from recipes.default_model.calibrate import calibrate, false_positives
from recipes.default_model.corpus import aligned_pictures, collected_pictures
from recipes.default_model.features import load_table, tabulate
from recipes.default_model.report import IN_DISTRIBUTION, LEFT_OUT, as_table, measure_cells, metric_cards
from recipes.default_model.store import kept_pictures
from recipes.default_model.study import GENERATORS, network_fit, run_study
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
    work = options.work
    work.mkdir(parents=True, exist_ok=True)

    print("pictures", flush=True)
    collected = collected_pictures(options.data)
    aligned = kept_pictures(work / "aligned.npy", lambda: aligned_pictures(options.data, collected, SEED))
    print("features", flush=True)
    tabulate(collected, work / "collected", SEED)
    tabulate(aligned, work / "aligned", SEED + 1)
    table = load_table([work / "collected", work / "aligned"])
    print("refits", flush=True)
    study = run_study(table, network_fit(table, SEED), work / "study", "model")
    baselines = {
        name: run_study(table, baseline_fit(table, columns), work / "study", name.replace(" ", ""))
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
    (work / "results.json").write_text(json.dumps(results, indent=1))
    lines = [
        "# Figures of the default model",
        "",
        "Written by `python -m recipes.default_model`; what they mean is said in [default-model.md](default-model.md).",
        "Brackets hold 95 % intervals (bootstrap over groups). The last three columns are the AUC of the baselines.",
        "",
        *(line for kind in (IN_DISTRIBUTION, LEFT_OUT) for name in GENERATORS for line in as_table(cells, kind, name)),
        "## False positives by source left out",
        "",
        "Files as found, threshold for 1 % set on the other sources.",
        "",
        "| source | false positives | rate |",
        "|---|---|---|",
        *(
            f"| {name} | {k} of {n} | {i.estimate:.4f} [{i.low:.4f}, {i.high:.4f}] |"
            for name, (k, n, i) in rates.items()
        ),
        "",
    ]
    options.figures.write_text("\n".join(lines))
    print("final refit", flush=True)
    pictures = [*collected, *aligned]
    model = build_model(table, calibrated, pictures, rates, metric_cards(cells), seed=SEED, output=options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB, {np.size(model.training_hashes)} hashes")


if __name__ == "__main__":
    main()
