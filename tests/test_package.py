"""What is installed: one version, the files that must be in a wheel, and who may read them."""

import re
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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
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


def test_a_plain_install_needs_no_torch():
    names = {re.split(r"[^\w-]", line)[0].lower() for line in PROJECT["dependencies"]}
    heavy = {"matplotlib", "pyarrow", "pywavelets", "scikit-learn", "scipy"}
    assert names == heavy | {"click", "numpy", "pillow", "pyspng", "safetensors", "simplejpeg", "threadpoolctl"}


def test_the_licence_of_the_code_is_mit():
    assert PROJECT["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
