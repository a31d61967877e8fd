import numpy as np
import pytest

from spectell.errors import ArtifactError, ParameterError, SpectellError
from spectell.images import read_image
from spectell.workflows import bench
from spectell.workflows.bench import BenchCase, run_bench
from spectell.workflows.bench_images import decode, natural_image, write_image

SMALL = (BenchCase("64² PNG", (64, 64), ".png", 2, 16), BenchCase("80 x 96 JPEG", (80, 96), ".jpg", 1, 8))


@pytest.fixture(scope="module")
def report():
    seen = []
    found = run_bench(workers=1, cases=SMALL, turns=1, on_progress=lambda *said: seen.append(said))
    return found, seen


def test_every_case_has_its_rates_and_their_ratio(report):
    found, _ = report
    assert [(each.name, each.images) for each in found.throughput] == [("64² PNG", 16), ("80 x 96 JPEG", 8)]
    for each in found.throughput:
        assert each.ratio == pytest.approx(each.scan / each.decode_only)
        assert each.least == each.ratio == each.most
    assert found.as_dict()["throughput"][0]["name"] == "64² PNG"


def test_a_cold_start_and_a_peak_are_those_of_a_program_of_its_own(report):
    found, _ = report
    assert found.cold_start > 0.05
    assert found.memory_bound == 150_000_000 + 10 * 80 * 96
    ballast = np.ones(300_000_000, np.uint8)  # would count if a started process took over this one's peak
    command = [bench.sys.executable, "-c", "print('small')"]
    assert bench._peak_memory(command) < ballast.nbytes / 3
    assert 20e6 < found.memory < 2 * found.memory_bound


def test_progress_ends_with_the_last_measurement(report):
    _, seen = report
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1] == ("measuring", 6, 6)


def test_the_rate_leaves_out_what_comes_before_the_first_results(monkeypatch):
    clock = iter([0.0, *(10.0 + 0.5 * k for k in range(16))])
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(clock))
    assert bench._rate(range(16), 16) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"workers": 0}, ParameterError, "must be at least 1, got 0, 3 and 3"),
        ({"turns": 0, "workers": 2}, ParameterError, "got 2, 0 and 3"),
        ({"model": "/nowhere"}, ArtifactError, "cannot read the model file /nowhere"),
    ],
)
def test_arguments_without_a_meaning_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        run_bench(**options)


def test_a_program_that_fails_is_one_line():
    with pytest.raises(SpectellError, match=r"ended with status 3: no room$"):
        bench._run([bench.sys.executable, "-c", "import sys; print('a\\nno room', file=sys.stderr); sys.exit(3)"])


def test_the_images_are_smooth_as_photographs_are(rng):
    luma = natural_image(rng, 256, 256).mean(axis=2)
    power = np.abs(np.fft.fft2(luma - luma.mean())) ** 2
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    rings = [power[(radius > low) & (radius < 1.3 * low)].mean() for low in (0.02, 0.04, 0.08)]
    assert rings[0] / rings[1] == pytest.approx(4, rel=0.35)
    assert rings[1] / rings[2] == pytest.approx(4, rel=0.35)


def test_large_images_repeat_a_part_and_keep_their_size(tmp_path):
    path = write_image(tmp_path / "a.png", (100, 2100), 0)
    assert decode(path) == (100, 2100, 3)
    pixels = read_image(path).pixels
    np.testing.assert_array_equal(pixels[:, :1050], pixels[:, 1050:])
    assert (read_image(write_image(tmp_path / "b.png", (100, 2100), 1)).pixels != pixels).any()
    assert read_image(write_image(tmp_path / "c.jpg", (16, 24), 0)).facts.format == "JPEG"
