import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectell.datasets.columns import CategoryColumn, TextColumn, decode_text, encode_text

texts = st.lists(st.binary(max_size=8).map(decode_text), max_size=20)


@given(texts)
def test_a_text_column_gives_back_what_it_was_given(rows):
    assert list(TextColumn(rows)) == rows
    assert [TextColumn(rows)[index] for index in range(-len(rows), 0)] == rows
    assert list(TextColumn(rows)[1::2]) == rows[1::2]


@given(st.binary())
def test_any_bytes_of_a_file_name_survive_as_text(name):
    assert encode_text(decode_text(name)) == name


@given(texts)
def test_codes_are_equal_where_texts_are_equal(rows):
    codes = TextColumn(rows).codes().tolist()
    assert [[a == b for b in codes] for a in codes] == [[a == b for b in rows] for a in rows]
    assert set(codes) == set(range(len(set(rows))))


@given(texts)
def test_the_first_repeated_text_is_the_first_that_was_seen_before(rows):
    seen, expected = set(), None
    for row in rows:
        if row in seen:
            expected = row
            break
        seen.add(row)
    assert TextColumn(rows).first_repeated() == expected


def test_digests_are_the_same_on_every_machine():
    # printf 'faces/1' | b2sum -l 64
    assert TextColumn(["faces/1"]).digests().tolist() == [int.from_bytes(bytes.fromhex("3e6047c0214ae033"), "little")]


@pytest.mark.parametrize("index", [2, -3])
def test_rows_outside_a_column_are_index_errors(index):
    with pytest.raises(IndexError, match="column of 2 rows"):
        TextColumn(["a", "b"])[index]


@given(st.lists(st.sampled_from(["real", "gan", ""])))
def test_a_category_column_gives_back_what_it_was_given(rows):
    column = CategoryColumn(rows)
    assert list(column) == rows
    assert column.values().tolist() == rows
    assert list(column.take(range(0, len(rows), 2))) == rows[::2]


def test_a_selection_forgets_the_names_that_no_row_has():
    assert CategoryColumn(["real", "gan"]).take([1]).names == ["gan"]
