"""Run the benchmarks that are named, or all of them; ``--images N`` is how many `ridge` fits to."""

import argparse
import sys
from importlib import import_module

from benchmarks.harness import describe_machine

NAMES = ("spectra", "statistics", "scan", "spectrum", "ridge", "training")


def main(arguments: list[str]) -> int:
    """Run benchmarks by name; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--images", type=int, metavar="N")
    options = parser.parse_args(arguments)
    names = options.names
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; choose from {', '.join(NAMES)}", file=sys.stderr)
        return 2
    print(describe_machine(), flush=True)
    for name in names or NAMES:
        given = {"images": options.images} if name == "ridge" and options.images else {}
        import_module(f"benchmarks.{name}").main(**given)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
