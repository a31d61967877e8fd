import io

import numpy as np
from PIL import Image

from spectell.datasets import Entry, Manifest
from spectell.workflows.auditing.pixel_traces import TRACES, pixel_traces, read_traces, trace_features, trace_values


def noise(rng, side=80):
    return rng.integers(0, 256, (side, side, 3), dtype=np.uint8)


def through_jpeg(pixels, quality):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=quality)
    return np.array(Image.open(buffer))


def test_words_and_numbers_of_a_former_jpeg(rng):
    plain, former = noise(rng), through_jpeg(noise(rng), 40)[3:]
    traces = [pixel_traces(plain), pixel_traces(former)]
    assert trace_values(traces, "JPEG grid") == {"none": 1, "at 5,0": 1}
    assert trace_values(traces, "JPEG quality in pixels") == {"none": 1, "quality 40": 1}
    assert trace_features(traces, "JPEG quality in pixels").tolist() == [[-1.0], [40.0]]
    assert trace_features(traces, "JPEG grid").tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_words_and_numbers_of_an_enlarged_picture(rng):
    enlarged = Image.fromarray(noise(rng, 60)).resize((90, 90), Image.Resampling.BILINEAR)
    traces = [pixel_traces(noise(rng, 90)), pixel_traces(np.asarray(enlarged))]
    assert trace_values(traces, "resizing") == {"none": 1, "period 3.0": 1}
    assert trace_features(traces, "resizing")[0] == 0
    assert abs(trace_features(traces, "resizing")[1, 0] - 1 / 3) < 0.02


def test_a_thumbnail_is_the_mean_of_its_cells(rng):
    pixels = noise(rng, 80)
    cells = pixels.reshape(8, 10, 8, 10, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(pixel_traces(pixels).thumbnail, cells, atol=1)


def test_files_are_read_in_order_and_counted(tmp_path, rng):
    for number in range(5):
        Image.new("RGB", (9, 9), (number, 0, 0)).save(tmp_path / f"{number}.png")
    done = []
    manifest = Manifest([Entry(f"{number}.png", 0, "real") for number in range(5)], tmp_path)
    traces = read_traces(manifest, workers=2, on_progress=done.append)
    assert [int(each.thumbnail[0, 0, 0]) for each in traces] == [0, 1, 2, 3, 4]
    assert sum(done) == 5
    assert all(trace_values(traces, name) == {"too small to tell": 5} for name in TRACES)
    assert not any(np.ptp(trace_features([*traces, pixel_traces(noise(rng))], name)) for name in TRACES)
