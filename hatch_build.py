"""Build step: compile the kernels, where there is a C compiler.

Without one, or on Windows, the package is the same but for speed; `spectell.compiled` says what is compiled and why.
A wheel holds the library, an editable installation finds it beside its source. A build that fails leaves everything as
it was: the package does not use a library of another source.
"""

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

PLACE = Path("spectell", "compiled")
SOURCE, LIBRARY, HASHES = "kernels.c", "libkernels.so", "libkernels.sha256"  # a name that Python would not import
FLAGS = ("-std=gnu11", "-O3", "-fPIC", "-fno-math-errno", "-ffp-contract=fast", "-fvisibility=hidden")
INSTRUCTIONS: dict[str, tuple[str, ...]] = {"base": ("-DBASE",)}
if platform.machine().lower() in ("x86_64", "amd64"):
    INSTRUCTIONS["avx2"] = ("-mavx2", "-mfma")
    INSTRUCTIONS["avx512"] = ("-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma")


class CompiledKernels(BuildHookInterface[Any]):
    """Put the library into the wheel, or beside its source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files of the package are collected."""
        place = Path(self.root, "src", PLACE)
        self._folder = tempfile.TemporaryDirectory(prefix="spectell-")
        try:
            compile_kernels(place / SOURCE, Path(self._folder.name))
            if version == "editable":
                for name in (LIBRARY, HASHES):
                    replace(Path(self._folder.name, name), place / name)
                return
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self.app.display_warning(f"Kernels are not compiled, NumPy and SciPy do their work: {error}")
            return
        build_data["force_include"].update(
            {str(Path(self._folder.name, name)): str(PLACE / name) for name in (LIBRARY, HASHES)}
        )
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - as called
        """Forget what was compiled, which is in the wheel by now."""
        self._folder.cleanup()


def compile_kernels(source: Path, folder: Path) -> None:
    """Compile once for each set of instructions, link, and write down what was made of what."""
    if sys.platform == "win32":
        raise OSError("not on Windows")
    compiler = find_compiler()
    objects = []
    for name, flags in INSTRUCTIONS.items():
        objects.append(str(folder / f"{name}.o"))
        run([*compiler, *FLAGS, *flags, f"-DSUFFIX={name}", "-c", str(source), "-o", objects[-1]])
    library = folder / LIBRARY
    run([*compiler, "-shared", *objects, "-lm", "-o", str(library)])
    library.chmod(0o644)  # as everything else in a wheel
    hashes = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (source, library))
    Path(folder, HASHES).write_text("".join(f"{each}\n" for each in hashes), encoding="ascii")


def replace(made: Path, place: Path) -> None:
    """Put a file where another may be in use."""
    beside = place.with_name(f".{os.getpid()}-{place.name}")
    try:
        shutil.copyfile(made, beside)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


def platform_tag() -> str:
    """Name the machines that the library is for as pip does: this one and its like."""
    return next(tag.platform for tag in sys_tags() if not tag.platform.startswith(("manylinux", "musllinux")))


def find_compiler() -> list[str]:
    """Return the command that CC names, or else the first of the usual compilers."""
    try:
        asked = shlex.split(os.environ.get("CC", ""))
    except ValueError as error:
        raise ValueError(f"CC is no command: {error}") from error
    if asked:
        if not shutil.which(asked[0]):
            raise OSError(f"CC names {asked[0]!r}, which is not there")
        return asked
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return [found]
    raise OSError("there is no C compiler")


def run(command: list[str]) -> None:
    """Run the compiler; what it says goes into the error."""
    # Compilers write in the encoding that their own locale says, or copy a source's bytes.
    done = subprocess.run(  # noqa: S603 - our own
        command, capture_output=True, text=True, errors="replace", timeout=300, check=False
    )
    if done.returncode:
        raise subprocess.SubprocessError(f"{command[0]} failed: {done.stderr.strip()[:400]}")
