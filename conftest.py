"""What pytest must not collect where an extra is not installed."""

from importlib.util import find_spec
from pathlib import Path

# Collecting the doctests of a module imports it, and these import torch.
if find_spec("torch") is None:
    _generators = Path(__file__).parent / "src" / "spectell" / "generators"
    collect_ignore = [str(_generators / f"{name}.py") for name in ("autoencoder", "superresolution", "tensors")]
