"""Build step: compile the kernels, where there is a C compiler.

Without one, or on Windows, the package is the same but for speed; `spectell.compiled` says what is compiled and why.
The library lands in the source tree, where an editable installation finds it too.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("src", "spectell", "compiled", "kernels.c")
FLAGS = ("-std=gnu11", "-O3", "-fPIC", "-fno-math-errno", "-ffp-contract=fast", "-fvisibility=hidden", "-Wall")
INSTRUCTIONS: dict[str, tuple[str, ...]] = {"base": ()}
if platform.machine().lower() in ("x86_64", "amd64"):
    INSTRUCTIONS["avx2"] = ("-mavx2", "-mfma")
    INSTRUCTIONS["avx512"] = ("-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma")


class CompiledKernels(BuildHookInterface[Any]):
    """Put the library beside its source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - as it is called
        """Compile before the files of the package are collected."""
        source = Path(self.root, SOURCE)
        library = source.with_name("libkernels.so")  # a name that Python would not import
        try:
            compile_kernels(source, library)
        except (OSError, subprocess.SubprocessError) as error:
            library.unlink(missing_ok=True)  # one of an older source would not do
            self.app.display_warning(f"Kernels are not compiled, NumPy and SciPy do their work: {error}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def compile_kernels(source: Path, library: Path) -> None:
    """Compile once for each set of instructions, link, and replace the library at once: others may be using it."""
    if sys.platform == "win32":
        raise OSError("not on Windows")
    compiler = find_compiler()
    with tempfile.TemporaryDirectory(dir=library.parent, prefix=".kernels-") as folder:
        objects = []
        source_hash = f'-DSOURCE_HASH="{hashlib.sha256(source.read_bytes()).hexdigest()}"'
        for name, flags in INSTRUCTIONS.items():
            named = [f"-DSUFFIX={name}", *([source_hash] if name == "base" else [])]
            objects.append(str(Path(folder, f"{name}.o")))
            run([compiler, *FLAGS, *flags, *named, "-c", str(source), "-o", objects[-1]])
        made = Path(folder, library.name)
        run([compiler, "-shared", *objects, "-lm", "-o", str(made)])
        made.chmod(0o644)  # as everything else in a wheel
        made.replace(library)


def find_compiler() -> str:
    """Return the compiler that CC names, or else the first of the usual ones."""
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        if name and (found := shutil.which(name)):
            return found
    raise OSError("there is no C compiler")


def run(command: list[str]) -> None:
    """Run the compiler; what it says goes into the error."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise subprocess.SubprocessError(f"{' '.join(command[:1])} failed: {done.stderr.strip()[:400]}")
