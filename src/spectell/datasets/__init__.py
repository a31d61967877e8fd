"""Data sets: what is in them, what belongs together, and who sees what.

A data set is a folder with a sub-folder per generator, a folder of such folders, or a manifest; `read_dataset` makes a
`Manifest` of any of them. Importing this package loads neither pyarrow, SciPy nor a decoder.
"""

from spectell.datasets.entries import REAL, Entry
from spectell.datasets.folder import read_dataset, read_datasets
from spectell.datasets.manifest import read_manifest, write_manifest
from spectell.datasets.table import Manifest

__all__ = ["REAL", "Entry", "Manifest", "read_dataset", "read_datasets", "read_manifest", "write_manifest"]
