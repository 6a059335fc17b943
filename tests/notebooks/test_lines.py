"""How the line of a magic is split into words."""

from __future__ import annotations

import pytest

from bento_jupyter.magics.parsing import split


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
