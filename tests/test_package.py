"""What is installed: one version, the files that must be in a wheel, and who may read them."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import spectell

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


LIBRARY = "spectell/compiled/libkernels.so"
COMPILER = sys.platform != "win32" and shutil.which("cc")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what a build needs, since a build leaves its library beside the source."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*libkernels.*"))
    return folder


def build(checkout, folder, **environment):
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, env=os.environ | environment)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path, done.stderr


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    path, _ = build(checkout, tmp_path_factory.mktemp("wheel"))
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_there_is_one_version():
    citation = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    changelog = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    found = {PROJECT["version"], version("spectell"), spectell.__version__, citation[1], changelog[1]}
    assert found == {"0.1.0"}


def test_the_wheel_holds_the_package_its_weights_and_its_licence(wheel):
    names = set(wheel.namelist())
    source = ROOT / "src"
    modules = {str(path.relative_to(source)) for path in source.glob("spectell/**/*.py")}
    weights = {str(path.relative_to(source)) for path in source.glob("spectell/weights/*.safetensors")}
    assert weights
    assert names >= modules | weights | {"spectell/py.typed", "spectell-0.1.0.dist-info/licenses/LICENSE"}
    assert not [name for name in names if not name.startswith(("spectell/", "spectell-0.1.0.dist-info/"))]


def test_everybody_may_read_what_the_wheel_holds(wheel):
    modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in wheel.infolist()}
    assert {name for name, mode in modes.items() if mode != 0o644} == set()


@pytest.mark.skipif(not COMPILER, reason="there is no C compiler")
def test_the_wheel_of_a_machine_with_a_compiler_holds_kernels_and_is_for_such_machines(wheel):
    assert {LIBRARY, LIBRARY.replace(".so", ".sha256")} <= set(wheel.namelist())
    (tags,) = re.findall(r"^Tag: (.+)$", wheel.read("spectell-0.1.0.dist-info/WHEEL").decode(), re.MULTILINE)
    assert re.fullmatch(r"py3-none-(linux|macosx)_\w+", tags)


def test_without_a_compiler_the_wheel_is_for_every_machine_and_the_build_says_why(checkout, tmp_path):
    empty = tmp_path / "bin"
    empty.mkdir()
    path, said = build(checkout, tmp_path, PATH=str(empty), CC="")
    assert path.name == "spectell-0.1.0-py3-none-any.whl"
    assert LIBRARY not in zipfile.ZipFile(path).namelist()
    assert "Kernels are not compiled" in said


@pytest.mark.skipif(not COMPILER, reason="there is no C compiler")
@pytest.mark.parametrize(
    ("compiler", "said"),
    [
        ("fails", "no such instruction"),
        ("/no/such/cc -m64", "CC names '/no/such/cc'"),
        ("cc 'x", "CC is no command: No closing quotation"),
    ],
)
def test_a_compiler_that_does_not_do_is_named_and_costs_nothing(checkout, tmp_path, compiler, said):
    fails = tmp_path / "fails"
    fails.write_bytes(b"#!/bin/sh\necho 'no such instruction: \xff' >&2\nexit 1\n")  # in no encoding of ours
    fails.chmod(0o755)
    path, warned = build(checkout, tmp_path / "wheels", CC=compiler.replace("fails", str(fails)))
    assert path.name == "spectell-0.1.0-py3-none-any.whl"
    assert said in warned


@pytest.mark.skipif(not COMPILER, reason="there is no C compiler")
def test_a_build_leaves_nothing_beside_the_source(checkout, tmp_path):
    build(checkout, tmp_path, CC="cc -O1")  # a command of several words
    assert not [path.name for path in (checkout / "src" / LIBRARY).parent.iterdir() if "lib" in path.name]


def test_a_plain_install_needs_no_torch():
    names = {re.split(r"[^\w-]", line)[0].lower() for line in PROJECT["dependencies"]}
    heavy = {"matplotlib", "pyarrow", "pywavelets", "scikit-learn", "scipy"}
    assert names == heavy | {"click", "numpy", "pillow", "pyspng", "safetensors", "simplejpeg", "threadpoolctl"}


def test_the_licence_of_the_code_is_mit():
    assert PROJECT["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
