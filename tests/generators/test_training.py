import csv
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ArtifactError, ManifestError, ParameterError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from spectell.generators import training_session  # noqa: E402
from spectell.generators.checkpoint import read_tensors, write_tensors  # noqa: E402
from spectell.generators.losses import LOSSES  # noqa: E402
from spectell.generators.trained import load_generator  # noqa: E402
from spectell.generators.training import Schedule, train_generator  # noqa: E402
from spectell.generators.training_config import GeneratorConfig  # noqa: E402
from spectell.generators.training_state import TrainingState  # noqa: E402

OFTEN = Schedule(checkpoint_steps=3, log_steps=1, sample_steps=3)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Twelve smooth pictures of 64 x 64 pixels."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(1)
    for index in range(12):
        small = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        small.resize((64, 64), Image.Resampling.BICUBIC).save(folder / f"{index}.png")
    return folder


@pytest.fixture(autouse=True)
def _few_images_measured(monkeypatch):
    monkeypatch.setattr(training_session, "_MEASURED", 64)


def tiny(**options):
    return GeneratorConfig(**{"steps": 6, "batch": 4, "width": 2, "seed": 5} | options)


def contents(folder):
    """Everything that a later run or a user depends on."""
    tensors, card = read_tensors(folder / "checkpoint.safetensors")
    rows = [row[:-1] for row in csv.reader((folder / "log.csv").read_text().splitlines())]  # but for the seconds
    return {name: value.numpy().tobytes() for name, value in tensors.items()}, card, rows


class StoppedError(Exception):
    """Stands for a kill: nothing is written after it."""


def stop_after(steps):
    def report(what, done, total):
        if what == "steps" and done == steps:
            raise StoppedError

    return report


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "sngan"},
        {"loss": "wgan-gp", "progressive": True},
        {"loss": "cramer", "critic_steps": 2},
        {"loss": "mmd"},
    ],
    ids=["sngan", "progan", "cramer", "mmd"],
)
def test_a_killed_training_goes_on_bit_for_bit(tmp_path, photographs, options):
    config = tiny(**options)
    train_generator(photographs, tmp_path / "whole", config, schedule=OFTEN)
    with pytest.raises(StoppedError):
        train_generator(photographs, tmp_path / "parts", config, schedule=OFTEN, on_progress=stop_after(5))
    assert read_tensors(tmp_path / "parts" / "checkpoint.safetensors")[1]["step"] == 3
    run = train_generator(photographs, tmp_path / "parts", config, schedule=OFTEN, resume=True)
    assert (run.first_step, run.last_step) == (3, 6)
    whole, parts = contents(tmp_path / "whole"), contents(tmp_path / "parts")
    assert parts == whole
    assert len(whole[2]) == 7
    assert (tmp_path / "whole" / "generator.safetensors").read_bytes() == (
        tmp_path / "parts" / "generator.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_changes_both_networks_and_draws_from_its_seed_only(tmp_path, photographs, loss):
    images = np.stack([np.asarray(Image.open(path).resize((32, 32))) for path in sorted(photographs.iterdir())])
    states = [TrainingState(tiny(loss=loss, critic_steps=1, seed=seed)) for seed in (5, 5, 6)]
    before = states[0].tensors()
    for state in states:
        torch.rand(1)  # a stranger's draw changes nothing
        state.advance(images)
    first, second, other = (state.tensors() for state in states)
    assert all(torch.equal(first[name], second[name]) for name in first)
    for network in ("generator", "critic", "average"):
        names = [name for name in before if name.startswith(network) and before[name].is_floating_point()]
        assert any(not torch.equal(before[name], first[name]) for name in names)
        assert any(not torch.equal(other[name], first[name]) for name in names)


def test_a_longer_training_starts_from_the_shorter_one(tmp_path, photographs):
    train_generator(photographs, tmp_path, tiny(steps=2))
    run = train_generator(photographs, tmp_path, tiny(steps=3), resume=True)
    assert (run.first_step, run.last_step) == (2, 3)
    again = train_generator(photographs, tmp_path, tiny(steps=3), resume=True)
    assert again.first_step == again.last_step == 3


def test_a_training_is_not_overwritten_nor_continued_as_another(tmp_path, photographs):
    train_generator(photographs, tmp_path / "a", tiny(steps=1))
    before = (tmp_path / "a" / "checkpoint.safetensors").read_bytes()
    with pytest.raises(ArtifactError, match="holds a training already; go on with --resume, or name another folder"):
        train_generator(photographs, tmp_path / "a", tiny())
    with pytest.raises(ArtifactError, match="has upsampling=nearest, not bilinear; repeat the options"):
        train_generator(photographs, tmp_path / "a", tiny(upsampling="bilinear"), resume=True)
    tensors, card = read_tensors(tmp_path / "a" / "checkpoint.safetensors")
    write_tensors(tmp_path / "b" / "checkpoint.safetensors", tensors, card | {"data": {"sha256": "another"}})
    with pytest.raises(ArtifactError, match="was begun with other images"):
        train_generator(photographs, tmp_path / "b", tiny(), resume=True)
    assert (tmp_path / "a" / "checkpoint.safetensors").read_bytes() == before


@pytest.mark.parametrize("what", ["loss", "weight"])
def test_a_training_that_diverges_stops_and_keeps_its_checkpoint(tmp_path, photographs, monkeypatch, what):
    advance = TrainingState.advance

    def broken(self, images):
        if self.step != 4:
            return advance(self, images)
        with torch.no_grad():
            self.critic.last.bias.fill_(float("nan"))
        if what == "loss":
            return advance(self, images)
        self.step += 1
        return {}

    monkeypatch.setattr(TrainingState, "advance", broken)
    with pytest.raises(ParameterError, match=r"diverged at step 5: .* the last checkpoint was kept") as caught:
        train_generator(photographs, tmp_path, tiny(), schedule=Schedule(checkpoint_steps=1, sample_steps=99))
    assert "\n" not in str(caught.value)
    tensors, card = read_tensors(tmp_path / "checkpoint.safetensors")
    assert card["step"] == 4
    assert all(value.isfinite().all() for value in tensors.values())


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, photographs, monkeypatch):
    train_generator(photographs, tmp_path, tiny(steps=2))
    before = (tmp_path / "checkpoint.safetensors").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ManifestError, match="No space left on device"):
        train_generator(photographs, tmp_path, tiny(steps=4), resume=True)
    monkeypatch.undo()
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before
    assert train_generator(photographs, tmp_path, tiny(steps=4), resume=True).first_step == 2


def test_ctrl_c_finishes_the_step_and_writes_a_checkpoint(tmp_path, photographs):
    def interrupt(what, done, total):
        if what == "steps" and done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train_generator(photographs, tmp_path, tiny(), on_progress=interrupt)
    assert read_tensors(tmp_path / "checkpoint.safetensors")[1]["step"] == 2
    train_generator(photographs, tmp_path, tiny(), resume=True)
    train_generator(photographs, tmp_path / "whole", tiny())
    assert contents(tmp_path)[0] == contents(tmp_path / "whole")[0]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_folder_tells_what_was_done(tmp_path, photographs):
    run = train_generator(photographs, tmp_path, tiny(steps=3), schedule=OFTEN, name="mine", licence="CC0")
    card = load_generator(tmp_path).card
    assert (card["name"], card["licence"], card["step"], card["data"]["n_images"]) == ("mine", "CC0", 3, 12)
    assert card == run.card | {"format": 1}
    assert card["config"]["loss"] == "sngan"
    assert card["threads"] == torch.get_num_threads()
    assert {"spectell", "torch", "numpy"} <= card["versions"].keys()
    with Image.open(tmp_path / "samples-000003.png") as grid:
        assert grid.size == (256, 256)
    rows = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == ["1", "2", "3"]
    assert float(rows[2]["distance"]) > 0
    assert json.dumps(card)


def test_a_spectral_term_changes_the_training(tmp_path, photographs):
    for name, weight in (("without", 0.0), ("with", 1.0)):
        train_generator(photographs, tmp_path / name, tiny(steps=1, spectral=weight))
    assert contents(tmp_path / "with")[0] != contents(tmp_path / "without")[0]


def test_the_callers_settings_of_torch_come_back(tmp_path, photographs):
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state()
    train_generator(photographs, tmp_path, tiny(steps=1), threads=2)
    after = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state()
    assert after[:2] == before[:2]
    assert torch.equal(after[2], before[2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 48}, r"size must be one of \(32, 64, 128, 256\), got 48"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"batch": 1}, "batch must be at least 2, got 1"),
        ({"seed": -1}, "seed must not be negative, got -1"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0.0"),
    ],
)
def test_options_outside_their_range_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        GeneratorConfig(**options)


def test_an_absent_device_is_refused(tmp_path, photographs):
    with pytest.raises(ParameterError, match="device 'nowhere' cannot be used"):
        train_generator(photographs, tmp_path, tiny(), device="nowhere")


def test_a_schedule_and_a_configuration_need_no_torch():
    script = (
        "import sys; from spectell.generators import training_config, training_images, training_log, growing, draws, "
        "sliced_wasserstein; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
