"""Shares, scores and signed numbers as pages write them: none is rounded to a certainty that it does not have."""

from __future__ import annotations

__all__ = ["MOST_DEVIATIONS", "NO_BREAK", "deviations", "of_hundred", "percent", "plain", "signed", "tenths"]

NO_BREAK = "\u00a0"
"""A space at which no line ends."""

MOST_DEVIATIONS = 1000
"""Standard deviations; larger numbers of them are not written."""


def percent(share: float) -> str:
    r"""Write a share in per cent, more exactly where it is small or almost one; number and sign stay on one line.

    Examples
    --------
    >>> [percent(share).replace("\xa0", " ") for share in (0.0, 0.00001, 0.0044, 0.01, 0.29, 0.996, 0.99955, 1.0)]
    ['0 %', 'under 0.01 %', '0.44 %', '1 %', '29 %', '99.6 %', 'over 99.9 %', '100 %']
    """
    if 0.9005 < share < 1:
        return tenths(share)
    if 0 < share < 0.0001:
        return f"under 0.01{NO_BREAK}%"
    digits = ".2g" if 0 < share < 0.0995 else ".0f"
    return f"{100 * share:{digits}}{NO_BREAK}%"


def tenths(share: float) -> str:
    r"""Write a share in per cent with one decimal, for columns; only none is 0 % and only all is 100 %.

    Examples
    --------
    >>> [tenths(share).replace("\xa0", " ") for share in (0.0, 0.0004, 0.068, 0.9994, 0.9996, 1.0)]
    ['0.0 %', 'under 0.1 %', '6.8 %', '99.9 %', 'over 99.9 %', '100.0 %']
    """
    return f"{_hundredfold(share, 1, 'under', 'over')}{NO_BREAK}%"


def of_hundred(share: float) -> str:
    """Write a share as a number of a hundred.

    Examples
    --------
    >>> [of_hundred(share) for share in (0.0, 0.001, 0.5, 0.999, 1.0)]
    ['0 of 100', 'fewer than 1 of 100', '50 of 100', 'more than 99 of 100', '100 of 100']
    """
    return f"{_hundredfold(share, 0, 'fewer than', 'more than')} of 100"


def signed(value: float, decimals: int = 2) -> str:
    """Write a number with its sign.

    Examples
    --------
    >>> signed(0.5), signed(-0.25), signed(-0.001), signed(-0.125, 3)
    ('+0.50', '−0.25', '+0.00', '−0.125')
    """
    return f"{value:+z.{decimals}f}".replace("-", "−")


def plain(value: float, decimals: int = 2) -> str:
    """Write a number with a minus sign that is one; what rounds to zero has none.

    Examples
    --------
    >>> plain(-2.5), plain(-0.004)
    ('−2.50', '0.00')
    """
    return f"{value:z.{decimals}f}".replace("-", "−")


def deviations(value: float) -> str:
    """Write a number of standard deviations; beyond a thousand the deviation is too small to count in.

    Examples
    --------
    >>> deviations(8.0), deviations(59354.9), deviations(-2000.0)
    ('+8.00', 'more than +1,000', 'less than −1,000')
    """
    if abs(value) <= MOST_DEVIATIONS:
        return signed(value)
    return f"more than +{MOST_DEVIATIONS:,}" if value > 0 else f"less than −{MOST_DEVIATIONS:,}"


def _hundredfold(share: float, decimals: int, less: str, more: str) -> str:
    """Write 100 times a share; of one that only rounding makes none or all, say which number it is beyond."""
    number, last = f"{100 * share:.{decimals}f}", 10**-decimals
    if share > 0 and float(number) == 0:
        return f"{less} {last:.{decimals}f}"
    if share < 1 and float(number) == 100:
        return f"{more} {100 - last:.{decimals}f}"
    return number
