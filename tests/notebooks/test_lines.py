"""How the line of a magic is split into words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.magics.parsing import join, split


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("clf --sample X[:5, :]", ["clf", "--sample", "X[:5, :]"]),
        ('clf --sample "X[:5, :]"', ["clf", "--sample", "X[:5, :]"]),
        ('df[["age", "sex"]].head() -x', ['df[["age", "sex"]].head()', "-x"]),
        ('X.astype("float32");', ['X.astype("float32")']),
        ("""["it's", "b]"] -x""", ["""["it's", "b]"]""", "-x"]),
        ('df["a\\"]"]', ['df["a\\"]"]']),
        ("""--sample '["a"]'""", ["--sample", '["a"]']),
        ('--env "A=b c" --label x="y z"', ["--env", "A=b c", "--label", "x=y z"]),
        ("--env A=:( --max 1", ["--env", "A=:(", "--max", "1"]),
        ("a\\ b c", ["a b", "c"]),
        ("clf --label color=#fff  # it's a comment", ["clf", "--label", "color=#fff"]),
        ("clf ; ", ["clf"]),
        ("", []),
    ],
)
def test_a_line_is_split_as_by_a_shell_with_expressions_whole(line: str, words: list[str]) -> None:
    assert split(line) == words


def test_an_open_quotation_is_told() -> None:
    with pytest.raises(ValueError, match="quotation"):
        split('iris "clf')


@given(st.lists(st.text()))
def test_a_line_made_of_words_is_split_into_these_words(words: list[str]) -> None:
    assert split(join(words)) == words


@given(st.lists(st.text(alphabet="ab '\"\\[](){};#$%=\n\t", max_size=8)))
def test_so_are_words_of_nothing_but_quotes_and_brackets(words: list[str]) -> None:
    assert split(join(words)) == words
