import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from spectell.figures.heat_maps import plot_heat_maps
from spectell.figures.style import DARK, LIGHT
from spectell.reports.render import Drawing, render_drawing, render_drawings, render_pdf, render_png


def drawing(rng):
    values = [rng.normal(size=(16, 16)) for _ in range(2)]
    return Drawing("maps", lambda theme: plot_heat_maps(values, ["a", "b"], theme=theme), "two maps", "caption")


def test_the_same_drawing_gives_the_same_bytes(rng):
    drawn = drawing(rng)
    assert render_drawing(drawn) == render_drawing(drawn)


def test_no_file_holds_a_date_or_the_name_of_a_program(rng):
    made = render_drawing(drawing(rng))
    assert b"CreationDate" not in made.pdf
    assert b"atplotlib" not in made.pdf + made.light
    assert set(made.files) == {"maps.png", "maps.pdf"}


def test_the_schemes_have_grounds_of_their_own_and_the_same_places(rng):
    made = render_drawing(drawing(rng))
    light, dark = (Image.open(io.BytesIO(data)).convert("RGB") for data in (made.light, made.dark))
    assert light.size == dark.size
    for image, theme in ((light, LIGHT), (dark, DARK)):
        assert "#{:02x}{:02x}{:02x}".format(*image.getpixel((1, 1))) == theme.paper
    centres = [np.asarray(plot_heat_maps([np.eye(4)], ["a"], theme=theme).get_size_inches()) for theme in (LIGHT, DARK)]
    np.testing.assert_array_equal(*centres)


def test_a_palette_keeps_the_colours_of_the_map():
    """A heat map of two values has the first and the last colour of its map, and no other cells."""
    values = np.zeros((8, 8))
    values[4:] = 1.0
    figure = plot_heat_maps([values], ["a"])
    colour_map = figure.axes[0].images[0].cmap
    expected = {tuple(int(value) for value in colour_map(end, bytes=True)[:3]) for end in (0.0, 1.0)}
    colours = {colour for _, colour in Image.open(io.BytesIO(render_png(figure))).convert("RGB").getcolors(1 << 20)}
    assert expected <= colours


def test_pdf_is_pdf(rng):
    assert render_pdf(drawing(rng).make(LIGHT)).startswith(b"%PDF")


def test_drawings_are_the_same_bytes_in_order_however_many_processes_render_them():
    drawings = [
        Drawing(
            f"figure-{number}", lambda theme, n=number: plot_heat_maps([np.eye(4 + n)], [str(n)], theme=theme), "", ""
        )
        for number in range(3)
    ]
    alone, together = (list(render_drawings(drawings, workers=workers)) for workers in (1, 2))
    assert [each.drawing.name for each in together] == ["figure-0", "figure-1", "figure-2"]
    for one, other in zip(alone, together, strict=True):
        assert (one.light, one.dark, one.pdf) == (other.light, other.dark, other.pdf)
    assert len({each.light for each in together}) == 3


def test_a_drawing_that_kills_its_process_fails_here_with_its_own_error():
    def broken(theme):
        raise ValueError("no such map")

    drawings = [Drawing(name, broken, "", "") for name in ("one", "two")]
    with pytest.raises(ValueError, match="no such map"):
        list(render_drawings(drawings, workers=2))


def test_a_drawing_of_one_scheme_has_the_same_light_picture_and_no_dark_one(rng):
    drawn = drawing(rng)
    one, both = render_drawing(dataclasses.replace(drawn, both=False)), render_drawing(drawn)
    assert (one.light, one.pdf, one.dark) == (both.light, both.pdf, b"")
    assert "prefers-color-scheme" in both.figure()
    assert "prefers-color-scheme" not in one.figure()
