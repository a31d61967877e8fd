import pytest

from spectell.errors import ParameterError
from spectell.generators.growing import growing_phase


def test_growing_visits_every_resolution_and_ends_complete():
    phases = [growing_phase(step, 1000, 64) for step in range(1001)]
    assert sorted({phase.resolution for phase in phases}) == [8, 16, 32, 64]
    assert [phase.resolution for phase in phases] == sorted(phase.resolution for phase in phases)
    assert (phases[-1].resolution, phases[-1].alpha) == (64, 1.0)
    assert sum(phase.resolution == 64 and phase.alpha == 1.0 for phase in phases) > 250


def test_every_new_stage_fades_in_from_nothing():
    for resolution in (16, 32):
        alphas = [p.alpha for p in (growing_phase(s, 400, 32) for s in range(401)) if p.resolution == resolution]
        assert alphas[0] == 0.0
        assert alphas == sorted(alphas)
        assert 1.0 in alphas


@pytest.mark.parametrize("steps", [1, 2, 3, 6])
def test_the_shortest_trainings_end_at_full_size(steps):
    assert growing_phase(steps, steps, 32) == growing_phase(100, 100, 32)


def test_a_step_after_the_end_is_refused():
    with pytest.raises(ParameterError, match="step must be between 0 and steps=10, got 11"):
        growing_phase(11, 10, 32)
