"""What every test of the project shares: one thread, and nothing collected that needs an extra that is absent."""

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

# Before NumPy is imported. On a machine with other work, threads of the linear algebra library wait for each other: the
# small products of these tests then take ten times as long.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

_SOURCE = Path(__file__).parent / "src"


def _needs_torch(module: Path) -> bool:
    """Tell whether a module of the package cannot be imported without torch, itself or through what it imports."""
    name = ".".join(module.relative_to(_SOURCE).with_suffix("").parts)
    try:
        import_module(name.removesuffix(".__init__"))
    except ModuleNotFoundError as error:
        return error.name == "torch"
    return False


if find_spec("torch") is None:  # the doctests of these modules cannot be collected
    _rooms = (_SOURCE / "spectell" / "generators", _SOURCE / "spectell" / "detectors" / "networks")
    collect_ignore = [str(path) for room in _rooms for path in sorted(room.rglob("*.py")) if _needs_torch(path)]
