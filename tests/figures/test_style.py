import pytest

from spectell.figures.style import THEMES


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """WCAG 2.2, 1.4.3."""
    lighter, darker = sorted([luminance(one), luminance(other)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_knows_black_on_white():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "good", "caution", "bad"])
def test_text_is_legible_on_both_grounds(theme, name):
    for ground in (theme.paper, theme.panel):
        assert contrast(getattr(theme, name), ground) >= 4.5


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_names_beside_curves_are_legible(theme):
    assert min(contrast(colour, theme.paper) for colour in theme.cycle) >= 4.5
    assert len(set(theme.cycle)) == len(theme.cycle)
