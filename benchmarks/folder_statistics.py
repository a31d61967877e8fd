"""Statistics of a folder with the package, as a program of its own."""

import sys

from spectell.workflows.statistics import folder_statistics

if __name__ == "__main__":
    found = folder_statistics(sys.argv[1], workers=int(sys.argv[2]))
    if found.unreadable or found.other_sizes:
        sys.exit("some images were left out: the times cannot be compared")
