import numpy as np
import pytest

from spectell.errors import ParameterError, ShapeError
from spectell.perturbations.crop import MarginCrop, OffsetCrop, WindowCrop
from spectell.perturbations.resize import resize


@pytest.fixture
def numbered():
    """An image whose pixels say where they come from: row, column, and a constant."""
    rows, columns = np.indices((60, 100))
    return np.stack([rows, columns, np.full_like(rows, 7)], axis=-1).astype(np.uint8)


def test_the_share_is_cut_off_each_side_half_at_either_end(rng, numbered):
    crop = MarginCrop(0.2, 0.2, resize_back=False)
    result = crop.apply(numbered, crop.draw(rng, numbered.shape))
    np.testing.assert_array_equal(result, numbered[6:-6, 10:-10])


def test_the_rest_is_enlarged_to_the_original_size(rng, numbered):
    crop = MarginCrop(0.2, 0.2, kernel="lanczos")
    result = crop.apply(numbered, crop.draw(rng, numbered.shape))
    np.testing.assert_array_equal(result, resize(numbered[6:-6, 10:-10], 60, 100, "lanczos"))


def test_the_authors_variant_swaps_the_sides(rng, numbered):
    crop = MarginCrop(swap_sides=True)
    parameters = crop.draw(rng, numbered.shape)
    assert crop.apply(numbered, parameters).shape == (100, 60, 3)
    assert crop.resulting_shape(numbered.shape, parameters) == (100, 60)


def test_shares_fill_the_range(rng):
    draws = [MarginCrop(0.05, 0.2).draw(rng, (10_000, 5_000)) for _ in range(500)]
    shares = np.array([1 - draw["height"] / 10_000 for draw in draws])
    assert 0.049 < shares.min() < 0.06
    assert 0.19 < shares.max() <= 0.2
    assert all(draw["top"] == pytest.approx(2 * draw["left"], abs=2) for draw in draws)


def test_an_offset_crop_keeps_native_pixels(rng, numbered):
    offsets = set()
    for _ in range(300):
        parameters = OffsetCrop().draw(rng, numbered.shape)
        result = OffsetCrop().apply(numbered, parameters)
        top, left = (int(value) for value in result[0, 0, :2])
        assert (top, left) == (parameters["top"], parameters["left"])
        np.testing.assert_array_equal(result, numbered[top:, left:])
        offsets.add((top, left))
    assert {top for top, _ in offsets} == {left for _, left in offsets} == set(range(8))


def test_a_window_is_cut_from_every_place_that_fits(rng, numbered):
    crop = WindowCrop(height=56, width=98)
    corners = set()
    for _ in range(300):
        result = crop.apply(numbered, crop.draw(rng, numbered.shape))
        assert result.shape == (56, 98, 3)
        top, left = (int(value) for value in result[0, 0, :2])
        np.testing.assert_array_equal(result, numbered[top : top + 56, left : left + 98])
        corners.add((top, left))
    assert corners == {(top, left) for top in range(5) for left in range(3)}


def test_a_window_larger_than_the_image_keeps_the_image(rng, numbered):
    result = WindowCrop(200, 90).apply(numbered, WindowCrop(200, 90).draw(rng, numbered.shape))
    assert result.shape == (60, 90, 3)


@pytest.mark.parametrize(("height", "width"), [(61, 100), (60, 101), (200, 90)])
def test_a_strict_window_refuses_a_smaller_image(rng, numbered, height, width):
    with pytest.raises(ShapeError, match=f"the window, {height} x {width} pixels, got 60 x 100; choose a smaller"):
        WindowCrop(height, width, strict=True).draw(rng, numbered.shape)
    whole = WindowCrop(60, 100, strict=True)
    np.testing.assert_array_equal(whole.apply(numbered, whole.draw(rng, numbered.shape)), numbered)


@pytest.mark.parametrize("crop", [MarginCrop(resize_back=False), OffsetCrop(), WindowCrop(50, 50)])
def test_a_draw_for_a_larger_image_is_refused(rng, numbered, crop):
    drawn = crop.draw(rng, numbered.shape) | {"top": 20, "height": 50}
    with pytest.raises(ShapeError, match=r"at row 20, column [0-9]+ must lie in the image, got 60 x 100; draw anew"):
        crop.apply(numbered, drawn)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MarginCrop(0.3, 0.2), "got min_share=0.3, max_share=0.2"),
        (lambda: MarginCrop(max_share=1.0), "max_share=1.0"),
        (lambda: MarginCrop(kernel="cubic"), "kernels must be some of"),
        (lambda: MarginCrop(resize_back=False, swap_sides=True), "swap_sides must not be set without resize_back"),
        (lambda: OffsetCrop(-1), "max_offset must be at least 0, got -1"),
        (lambda: WindowCrop(0, 5), "height and width must be at least 1, got 0 and 5"),
    ],
)
def test_impossible_settings_are_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
