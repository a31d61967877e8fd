import numpy as np
import pytest

from spectell.detectors import load_model
from spectell.detectors.attribution import attribute, is_attributable
from spectell.detectors.class_heads import FingerprintHead, LinearClassesHead, NearestHead
from spectell.detectors.heads import AverageHead, LinearHead, MLPHead
from spectell.errors import MismatchError, ParameterError, ShapeError


def network(rng, sizes, **options):
    pairs = [
        (rng.normal(size=(n, m)) / np.sqrt(n), rng.normal(size=m) / 4)
        for n, m in zip(sizes, [*sizes[1:], 1], strict=True)
    ]
    return MLPHead(pairs, **options)


def by_finite_differences(head, row, start, steps=400, width=1e-2):
    """Integrate central differences of the head along the straight line: the definition, one feature at a time."""
    shares = np.zeros(len(row))
    for point in (np.arange(steps) + 0.5) / steps:
        here = start + point * (row - start)
        around = np.concatenate([here + width * np.eye(len(row)), here - width * np.eye(len(row))])
        up, down = np.split(head.decide(around.astype(np.float32)), 2)
        shares += (row - start) * (up - down) / (2 * width)
    return shares / steps


def test_a_weighted_sum_is_shared_exactly(rng):
    weights, row, start = rng.normal(size=(3, 7))
    found = attribute(LinearHead(weights, 0.3), [row], start)
    assert found.contributions == pytest.approx(
        [w * (x - b) for w, x, b in zip(weights, row, start, strict=True)], rel=1e-5
    )
    assert found.start == pytest.approx(weights @ start + 0.3, rel=1e-5)
    assert found.start + found.contributions.sum() == pytest.approx(found.end, abs=1e-5)
    assert found.gap == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("sizes", "activation"), [((6, 5), "relu"), ((6, 5), "tanh"), ((4, 6, 3), "relu"), ((4,), "relu")]
)
def test_a_network_is_shared_as_finite_differences_along_the_path_say(rng, sizes, activation):
    head = network(rng, sizes, activation=activation)
    row, start = rng.normal(size=(2, sizes[0]))
    found = attribute(head, [row], start)
    assert found.contributions == pytest.approx(by_finite_differences(head, row, start), abs=0.01)
    assert found.gap == pytest.approx(0, abs=2e-3)
    assert np.abs(found.contributions).max() > 0.02


def test_more_steps_close_the_gap(rng):
    head, (row, start) = network(rng, (30, 40)), rng.normal(size=(2, 30))
    gaps = [abs(attribute(head, [row], start, steps=steps).gap) for steps in (4, 4096)]
    assert gaps[1] < 1e-3 < gaps[0]


def test_a_clipped_feature_counts_up_to_the_clip(rng):
    head = MLPHead([([[1.0], [1.0]], [0.0])], clip=2.0)
    found = attribute(head, [[9.0, -1.0]], [0.0, -5.0])
    assert found.contributions.tolist() == [2.0, 1.0]
    assert found.gap == pytest.approx(0)


def test_an_average_shares_as_its_parts_do_on_average(rng):
    heads = [network(rng, (5, 4)), LinearHead(rng.normal(size=5), 0.0)]
    row, start = rng.normal(size=(2, 5))
    parts = [attribute(head, [row], start).contributions for head in heads]
    assert attribute(AverageHead(heads), [row], start).contributions == pytest.approx((parts[0] + parts[1]) / 2)


def test_tiles_are_averaged(rng):
    head, rows, start = network(rng, (5, 4)), rng.normal(size=(3, 5)), np.zeros(5)
    single = [attribute(head, [row], start) for row in rows]
    together = attribute(head, rows, start)
    assert together.contributions == pytest.approx(np.mean([one.contributions for one in single], axis=0))
    assert together.end == pytest.approx(np.mean([one.end for one in single]))


def test_what_does_not_fit_is_refused(rng):
    head = LinearHead([1.0, 2.0], 0.0)
    with pytest.raises(ShapeError, match=r"must have shapes \(T, 2\) and \(2,\), got \(1, 3\) and \(2,\)"):
        attribute(head, [[1.0, 2.0, 3.0]], [0.0, 0.0])
    with pytest.raises(ParameterError, match="steps must be at least 1, got 0"):
        attribute(head, [[1.0, 2.0]], [0.0, 0.0], steps=0)


def test_the_default_models_contributions_add_up(rng):
    model = load_model()
    pixels = rng.integers(0, 256, (80, 96, 3), dtype=np.uint8)
    rows = model.standardisation.apply(model.front_end.rows(pixels))
    found = attribute(model.head, rows, np.zeros(rows.shape[1]))
    assert abs(found.gap) < 0.005 * max(1.0, abs(found.end - found.start))


def test_what_is_said_to_be_attributable_is_and_the_rest_is_refused(rng):
    linear, row = LinearHead(rng.normal(size=3), 0.0), rng.normal(size=3)
    fingerprints = FingerprintHead(rng.normal(size=(2, 3)))
    nearest = NearestHead(rng.normal(size=(6, 3)), [0, 0, 0, 1, 1, 1], k=3)
    heads = [linear, network(rng, (3, 4)), AverageHead([linear, network(rng, (3,))])]
    unknown = [fingerprints, nearest, LinearClassesHead(rng.normal(size=(2, 3)), [0.0, 0.0])]
    for head in heads:
        assert is_attributable(head)
        attribute(head, [row], np.zeros(3))
    for head in [*unknown, AverageHead([linear, nearest])]:
        assert not is_attributable(head)
        with pytest.raises(MismatchError, match="head must be linear, mlp or average"):
            attribute(head, [row], np.zeros(3))
