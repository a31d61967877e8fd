"""Model files that were made to harm: one line, no warning, no crash."""

import dataclasses
import json
import struct

import numpy as np
import pytest

from spectell.detectors.artifact import load_model, save_model
from spectell.detectors.container import read_container
from spectell.detectors.heads import LinearHead
from spectell.detectors.standardisation import Standardisation
from spectell.errors import ArtifactError, ParameterError


def container(header):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize("shape", [[0, 2**47, 2**47], [2**40, 2**40, 0]])
def test_an_empty_tensor_of_impossible_shape_is_refused_in_one_line(tmp_path, shape):
    path = tmp_path / "m.safetensors"
    path.write_bytes(container({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}}))
    with pytest.raises(ArtifactError, match="is not a model file: tensor 'a' of shape"):
        read_container(path)


def test_a_weight_beyond_single_precision_is_refused_without_a_warning(tmp_path, model_of):
    model = model_of()
    model.head.weights = model.head.weights.astype(np.float64)
    model.head.weights[0] = 1e300
    save_model(model, tmp_path / "m")
    with pytest.raises(ArtifactError, match="'weights' holds a value that is not finite"):
        load_model(tmp_path / "m")


def test_a_weight_beyond_single_precision_is_refused_when_given_from_python():
    with pytest.raises(ArtifactError, match="'weights' holds a value that is not finite"):
        LinearHead([1e300], 0.0)


def test_a_scale_too_small_to_divide_by_is_refused():
    with pytest.raises(ParameterError, match="scale must be positive"):
        Standardisation([0.0], [np.float32(1e-45)])


@pytest.mark.parametrize("bad", ["\ud800", "a\x1b[2Jb", "\x00", "\x9b2J"])
def test_text_that_commands_a_terminal_or_cannot_be_encoded_is_refused(model_of, bad):
    with pytest.raises(ArtifactError, match="trained_on must be text without control characters"):
        dataclasses.replace(model_of().card, trained_on=bad)
