from collections import Counter

import numpy as np

from spectell.generators.draws import batch_rows, sample_latents, step_generator


def test_latents_are_standard_normal_and_differ_by_seed_and_index():
    drawn = np.stack([sample_latents(seed, index, 64) for seed in range(20) for index in range(20)])
    assert len(np.unique(drawn[:, 0])) == 400
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02


def test_steps_and_updates_draw_differently():
    drawn = {step_generator(seed, step, update).random() for seed in (0, 1) for step in (0, 1) for update in (0, 1)}
    assert len(drawn) == 8


def test_every_image_comes_once_in_a_pass_whatever_the_batch():
    rows = np.concatenate([batch_rows(3, position, 4, 10) for position in range(0, 20, 4)])
    assert sorted(rows[:10]) == sorted(rows[10:]) == list(range(10))
    assert rows[:10].tolist() != rows[10:].tolist()
    np.testing.assert_array_equal(rows, batch_rows(3, 0, 20, 10))


def test_a_batch_larger_than_the_data_repeats_them_evenly():
    counts = Counter(batch_rows(0, 1, 64, 3).tolist())
    assert max(counts.values()) - min(counts.values()) <= 2  # the passes that it begins and ends in
