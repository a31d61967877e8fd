"""Training: it learns, it repeats, it goes on where it stopped, and each thing that can go wrong is one line."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier

from spectell.detectors.container import read_container
from spectell.detectors.networks.base import NetworkDetector
from spectell.detectors.networks.estimators import CNNDetector, MLPDetector, ResNetDetector, Yu2019Detector
from spectell.detectors.tiles import Tiles
from spectell.errors import ArtifactError, ParameterError, ShapeError

torch = pytest.importorskip("torch")

from spectell.detectors.networks import training  # noqa: E402
from spectell.detectors.networks.input_layer import InputLayer  # noqa: E402
from spectell.detectors.networks.modules import make_network  # noqa: E402

pytestmark = pytest.mark.torch

KINDS = [MLPDetector, CNNDetector, ResNetDetector, Yu2019Detector]


@pytest.fixture(scope="module")
def images():
    """120 pictures of 16 pixels in three classes: smooth, with a fixed grid, with fixed stripes."""
    rng = np.random.default_rng(5)
    smooth = np.kron(rng.integers(60, 190, (120, 4, 4, 3)), np.ones((1, 4, 4, 1), int))
    pictures = smooth + rng.integers(-15, 16, smooth.shape)
    pictures[40:80, ::2, ::2] += 50
    pictures[80:, ::2] += 40
    return pictures.astype(np.uint8), np.repeat([0, 1, 2], 40)


def halves(images):
    """Every second image to learn from, the others to stop by."""
    pixels, y = images
    tiles = Tiles.of_images(pixels)
    even, odd = np.arange(0, len(y), 2), np.arange(1, len(y), 2)
    return tiles.select(even), y[even], tiles.select(odd), y[odd]


@pytest.mark.parametrize(
    "detector",
    [MLPDetector("dct", 3, 16, 3e-3), CNNDetector("pixel", 14, 16, 5e-3, 20), CNNDetector("dct", 14, 16, 5e-3, 20)],
)
def test_three_classes_are_learned(images, detector):
    pixels, y = images
    detector = clone(detector).fit(pixels, y)
    assert (detector.predict(pixels) == y).mean() > 0.8
    assert detector.decision_function(pixels[:4]).shape == (4, 3)
    assert detector.fit_facts_["best_epoch"] <= detector.fit_facts_["epochs"] <= detector.epochs


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("domain", ["dct", "pixel"])
def test_every_network_trains_in_both_domains_and_answers_in_numpy(images, kind, domain):
    pixels, y = images
    detector = kind(domain, epochs=1, batch=20).fit(pixels[20:60], y[20:60])
    head = detector.head
    rows = detector.standardisation.apply(detector.front_end.transform(pixels[30:33]))
    np.testing.assert_array_equal(detector.decision_function(pixels[30:33]), head.decide(rows))
    assert detector.standardisation.mean.any() == (domain == "dct")


def test_what_torch_learned_is_what_numpy_answers(images):
    pixels, y = images
    tiles, codes, other, other_codes = halves((pixels[:80], y[:80]))
    settings = training.Settings("resnet", 1e-12, 2, 16, 1e-3, 5, 0.0, 0, "cpu")
    detector = ResNetDetector(epochs=2, batch=16).fit_tiles(tiles, codes, other, other_codes)
    layers = detector._layers()
    run = training.Training(
        layers, settings, training.Labelled(tiles, codes), training.Labelled(other, other_codes), np.ones(2)
    )
    mean, scale = run.run(None, resume=False, on_progress=lambda *_: None)
    np.testing.assert_array_equal(mean, detector.mean_)
    layer = InputLayer(16, 1e-12)
    layer.standardise(mean, scale)
    with torch.no_grad():
        expected = run.state.network.eval()(layer(torch.from_numpy(pixels[:6])))[:, 0].numpy()
    # The features differ by rounding where a coefficient is nearly 0, and the outputs by what follows from that.
    np.testing.assert_allclose(detector.decision_function(pixels[:6]), expected, atol=1e-3)


@pytest.mark.parametrize("kind", [CNNDetector, ResNetDetector])
def test_the_same_seed_gives_the_same_weights(images, kind):
    pixels, y = images[0][:80], images[1][:80]
    first, again, other = (kind(epochs=2, batch=16, seed=seed).fit(pixels, y).arrays_ for seed in (0, 0, 1))
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
    assert not np.array_equal(first["0.weight"], other["0.weight"])


@pytest.mark.parametrize("kind", [MLPDetector, ResNetDetector])  # dropout and running means are part of the state
@pytest.mark.parametrize("stopped", ["after an epoch", "within one"])
def test_a_training_goes_on_bit_for_bit(images, tmp_path, monkeypatch, kind, stopped):
    data = halves((images[0][:80], images[1][:80]))
    whole = kind(epochs=3, batch=16).fit_tiles(*data)
    path = tmp_path / "checkpoint"
    if stopped == "after an epoch":
        kind(epochs=2, batch=16).fit_tiles(*data, checkpoint=path)
    else:
        monkeypatch.setattr(training, "CHECKPOINT_SECONDS", -1.0)

        def interrupt(stage, done, total):
            if done == 5:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            kind(epochs=3, batch=16).fit_tiles(*data, checkpoint=path, on_progress=interrupt)
    seen = []
    again = kind(epochs=3, batch=16).fit_tiles(
        *data, checkpoint=path, resume=True, on_progress=lambda stage, done, total: seen.append(done)
    )
    assert seen[0] == (7 if stopped == "after an epoch" else 5), "three steps an epoch; the fifth was not written"
    for name, values in whole.arrays_.items():
        np.testing.assert_array_equal(again.arrays_[name], values)
    assert again.fit_facts_ == whole.fit_facts_


def test_resuming_without_a_checkpoint_begins(images, tmp_path):
    data = halves((images[0][:80], images[1][:80]))
    found = CNNDetector(epochs=1).fit_tiles(*data, checkpoint=tmp_path / "new", resume=True)
    assert found.fit_facts_["epochs"] == 1
    assert read_container(tmp_path / "new")[1].keys() == {"spectell.checkpoint"}


@pytest.mark.parametrize("change", ["seed", "pixels", "labels", "damage"])
def test_the_checkpoint_of_another_training_is_refused(images, tmp_path, change):
    pixels, y = images[0][:80].copy(), images[1][:80].copy()
    path = tmp_path / "checkpoint"
    CNNDetector(epochs=1).fit_tiles(*halves((pixels, y)), checkpoint=path)
    if change == "pixels":
        pixels[0] += 1
    if change == "labels":
        y[[0, 79]] = y[[79, 0]]
    if change == "damage":
        path.write_bytes(path.read_bytes()[:-9])
    message = "truncated or damaged|does not fit its bytes" if change == "damage" else "other images or settings"
    with pytest.raises(ArtifactError, match=message):
        CNNDetector(epochs=2, seed=int(change == "seed")).fit_tiles(*halves((pixels, y)), checkpoint=path, resume=True)


def test_a_checkpoint_that_cannot_be_written_is_one_line_and_the_old_one_stays(images, tmp_path, monkeypatch):
    data = halves((images[0][:80], images[1][:80]))
    path = tmp_path / "checkpoint"
    CNNDetector(epochs=1).fit_tiles(*data, checkpoint=path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spectell.datasets.atomic.os.fsync", full)
    with pytest.raises(ArtifactError, match="No space left on device"):
        CNNDetector(epochs=2).fit_tiles(*data, checkpoint=path, resume=True)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]


def test_a_loss_that_is_not_finite_ends_in_one_line_and_the_last_checkpoint_stays(images, tmp_path, monkeypatch):
    data = halves((images[0][:80], images[1][:80]))
    path = tmp_path / "checkpoint"
    CNNDetector(epochs=1).fit_tiles(*data, checkpoint=path)
    before = path.read_bytes()
    monkeypatch.setattr(training, "_losses", lambda outputs, codes: outputs[:, 0] * float("nan"))
    with pytest.raises(ParameterError, match=r"diverged in epoch 2: the loss is nan; the last checkpoint was kept"):
        CNNDetector(epochs=2).fit_tiles(*data, checkpoint=path, resume=True)
    assert path.read_bytes() == before


def test_training_stops_when_the_validation_loss_does_not_fall_and_keeps_the_best(images, monkeypatch):
    losses = iter([0.5, 0.4, 0.6, 0.4, 0.7, 0.1])
    monkeypatch.setattr(training, "mean_loss", lambda *_: next(losses))
    data = halves((images[0][:80], images[1][:80]))
    found = CNNDetector(epochs=6, patience=3).fit_tiles(*data)
    facts = found.fit_facts_
    assert (facts["epochs"], facts["best_epoch"], facts["validation_loss"]) == (5, 2, 0.4)
    assert found.is_over_
    monkeypatch.setattr(training, "mean_loss", lambda *_: 1.0)
    two = CNNDetector(epochs=2, patience=3)
    losses = iter([0.5, 0.4])
    monkeypatch.setattr(training, "mean_loss", lambda *_: next(losses))
    np.testing.assert_array_equal(two.fit_tiles(*data).arrays_["0.weight"], found.arrays_["0.weight"])
    assert not two.is_over_, "more epochs could follow"


def test_an_epoch_shows_one_tile_of_every_image_and_validation_means_over_them(images):
    pixels, y = images[0][:80], images[1][:80]
    owners = np.repeat(np.arange(40), 2)
    tiles = Tiles(pixels, np.arange(80), owners)
    drawn = [tiles.draw(np.random.default_rng([0, epoch])) for epoch in range(20)]
    assert all(sorted(owners[chosen]) == list(range(40)) for chosen in drawn)
    assert set(np.concatenate(drawn)) == set(range(80))
    run = training.Training(
        CNNDetector(epochs=1).fit(pixels, y)._layers(),
        training.Settings("cnn", None, 1, 8, 1e-3, 5, 0.0, 0, "cpu"),
        training.Labelled(tiles, y[::2]),
        training.Labelled(tiles, y[::2]),
        np.ones(2),
    )
    with torch.no_grad():
        each = run.state.network.eval()(run._features(torch.from_numpy(pixels))).double().numpy()
    np.testing.assert_allclose(run._held_out_outputs(), (each[::2] + each[1::2]) / 2, atol=1e-6)


def test_the_validation_loss_is_the_log_loss_of_scikit_learn(rng):
    from sklearn.metrics import log_loss

    outputs, codes, weights = rng.normal(size=(30, 3)), np.arange(30) % 3, np.array([1.0, 2.0, 0.5])
    shares = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    expected = log_loss(codes, shares, sample_weight=weights[codes])
    assert training.mean_loss(outputs, codes, weights) == pytest.approx(expected)


def test_only_the_perceptron_is_penalised(images, monkeypatch):
    steps = []
    monkeypatch.setattr(torch.autograd, "backward", lambda loss: steps.append(loss.item()))
    data = halves((images[0][:80], images[1][:80]))
    for l2 in (0.0, 0.1):
        MLPDetector(epochs=1, batch=40, l2=l2).fit_tiles(*data)
    first = make_network(MLPDetector().fit_tiles(*data)._layers(), seed=0)[1].weight
    assert steps[1] - steps[0] == pytest.approx(0.1 * first.square().sum().item(), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "labels", "error", "message"),
    [
        ({}, [0] * 40, ParameterError, "two classes, got 1 class"),
        ({}, [0] * 39 + [1], ParameterError, "the class 1 has 1 image; at least 2 are needed"),
        ({}, [0, 1], ShapeError, "one label an image, got .2,. for 40 images"),
        ({"domain": "blocks"}, [0, 1] * 20, ParameterError, "domain must be dct or pixel, got 'blocks'"),
        ({"epochs": 0}, [0, 1] * 20, ParameterError, "epochs must be at least 1, got 0"),
        ({"learning_rate": 0.0}, [0, 1] * 20, ParameterError, "learning_rate must be positive"),
        ({"device": "cuda:99"}, [0, 1] * 20, ParameterError, "device 'cuda:99' cannot be used: .*; use cpu"),
        ({"device": "moon"}, [0, 1] * 20, ParameterError, "device 'moon' cannot be used"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(images, options, labels, error, message):
    with pytest.raises(error, match=message) as caught:
        CNNDetector(**options).fit(images[0][:40], labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        ([np.zeros((8, 8, 3), np.uint8), np.zeros((9, 9, 3), np.uint8)], "one size, got 2"),
        (np.zeros((2, 8, 9, 3), np.uint8), "uint8 of one size"),
        (np.zeros((2, 8, 8, 3)), "uint8 of one size"),
        ([], "one size, got 0"),
    ],
)
def test_images_that_are_no_tiles_of_one_size_are_refused(pixels, message):
    with pytest.raises(ShapeError, match=message):
        CNNDetector().fit(pixels, [0, 1][: len(pixels)])


def test_a_network_that_no_model_file_holds_is_refused_before_it_is_trained():
    tiles = Tiles(np.broadcast_to(np.zeros((1, 1, 1, 1), np.uint8), (4, 1024, 1024, 3)), np.arange(4), np.arange(4))
    with pytest.raises(ParameterError, match="takes 1611 MB, more than the 512 MB of a model; use a smaller size"):
        MLPDetector().fit_tiles(tiles, [0, 0, 1, 1], tiles, [0, 0, 1, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_can_be_cloned_and_is_a_classifier(kind):
    detector = kind("pixel", epochs=3, seed=4)
    assert clone(detector).get_params() == detector.get_params()
    assert is_classifier(detector)
    assert issubclass(kind, NetworkDetector)
