"""What every test of the project shares: one thread, and nothing collected that needs an extra that is absent."""

import os
from importlib.util import find_spec
from pathlib import Path

# Before NumPy is imported. On a machine with other work, threads of the linear algebra library wait for each other: the
# small products of these tests then take ten times as long.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# Collecting the doctests of a module imports it, and these import torch.
if find_spec("torch") is None:
    _generators = Path(__file__).parent / "src" / "spectell" / "generators"
    _needing_torch = ("autoencoder", "superresolution", "tensors", "tiny_network")
    collect_ignore = [str(_generators / f"{name}.py") for name in _needing_torch]
    _networks = _generators.parent / "detectors" / "networks"
    collect_ignore += [
        str(_networks / f"{name}.py") for name in ("feed", "input_layer", "modules", "state", "training")
    ]
