"""The names that the package promises, and what importing it costs."""

import subprocess
import sys

import pytest

import spectell


def test_importing_the_package_loads_nothing_heavy():
    script = "import sys, spectell; dir(spectell); print(*sorted(sys.modules))"
    loaded = set(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.split())
    assert "spectell" in loaded
    assert (
        loaded & {"torch", "matplotlib", "sklearn", "scipy", "scipy.stats", "pyarrow", "numpy", "PIL", "click"} == set()
    )


@pytest.mark.parametrize("name", spectell.__all__)
def test_every_promised_name_is_there(name):
    assert getattr(spectell, name) is not None
    assert name in dir(spectell)


def test_the_promises_are_those_that_removing_one_must_edit():
    assert set(spectell.__all__) >= {
        *("scan", "scan_to_file", "judge", "Verdict", "Judgement", "path_from_text", "printable_path"),
        *("load_model", "save_model", "Model", "ModelCard", "Score", "read_image", "DecodedImage", "ImageFacts"),
        *("SpectellError", "ParameterError", "ShapeError", "ImageError", "ManifestError", "ArtifactError"),
    }
    assert sorted(spectell.__all__) == spectell.__all__


def test_other_names_are_refused_as_usual():
    with pytest.raises(AttributeError, match="module 'spectell' has no attribute 'scam'"):
        spectell.scam  # noqa: B018
    assert spectell.__version__[0].isdigit()
