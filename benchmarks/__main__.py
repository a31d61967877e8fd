"""Run the benchmarks that are named, or all of them."""

import sys
from importlib import import_module

from benchmarks.harness import describe_machine

NAMES = ("spectra", "statistics", "scan")


def main(names: list[str]) -> int:
    """Run benchmarks by name; return the exit status."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; choose from {', '.join(NAMES)}", file=sys.stderr)
        return 2
    print(describe_machine(), flush=True)
    for name in names or NAMES:
        import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
