import numpy as np
import pytest

from spectell.reports.numbers import of_hundred, percent, tenths

SHARES = [*np.linspace(0, 1, 2001), 0.99955, 0.99995, 1 - 1e-12, 0.0995, 0.09949, 1e-4, 1e-12]


@pytest.mark.parametrize("write", [percent, tenths])
def test_what_is_written_holds_of_the_share_and_only_all_is_100_per_cent(write):
    for share in SHARES:
        word, _, number = write(share).replace("\xa0", " ").removesuffix(" %").rpartition(" ")
        if word == "under":
            assert 0 < 100 * share < float(number)
        elif word == "over":
            assert float(number) < 100 * share < 100
        else:
            assert word == ""
            assert (float(number) == 0, float(number) == 100) == (share == 0, share == 1)
            assert abs(100 * share - float(number)) <= 0.5001 * 10 ** -len(number.partition(".")[2])


def test_a_number_of_a_hundred_is_none_or_all_only_where_it_is():
    shares = np.linspace(0, 1, 1001)
    assert [share for share in shares if of_hundred(share).startswith(("0 ", "100 "))] == [0, 1]
