"""The line and the call of the build form ask for what was entered."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.forms.code import build_call, build_line, expression
from bento_jupyter.forms.namespace import methods, servable
from bento_jupyter.magics.building import BentoBuildMagics
from bento_jupyter.magics.parsing import parse

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
#: Expressions, with quotes, brackets and spaces in all places where they can be.
SAMPLES = st.recursive(
    st.none() | st.integers() | st.text(string.printable, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("a' \"]", max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
).map(repr)


class Recorder:
    """Stands for `bj` where a call is read back."""

    @staticmethod
    def build(name: str, obj: Any, **options: Any) -> tuple[str, Any, dict[str, Any]]:
        return name, obj, options


@given(
    NAMES,
    st.lists(NAMES, min_size=1, max_size=3, unique=True),
    st.just("") | NAMES | SAMPLES,
    st.lists(NAMES, max_size=2, unique=True),
)
def test_any_sample_stands_in_the_line(
    name: str, objects: list[str], sample: str, endpoints: list[str]
) -> None:
    line = build_line(name, objects, sample, endpoints)
    found = parse(BentoBuildMagics.bento_build, line.removeprefix("%bento_build "))
    assert [found.name, *found.object] == [name, *objects]
    assert (found.sample or "", found.endpoint or []) == (sample, endpoints)


def test_a_text_as_a_sample_is_readable() -> None:
    assert build_line("up", ["up"], "'a b'") == """%bento_build up up --sample "'a b'\""""


@pytest.mark.parametrize("sample", ["X[:5]", '{"a": 3}', "[1, 'b c']", "X[X > 0] + 1", "f(1)(2)", "'it\\'s'"])
def test_expressions_are_the_same_in_the_line_and_in_the_call(sample: str) -> None:
    line = build_line("iris", ["clf"], sample, ["predict"])
    assert parse(BentoBuildMagics.bento_build, line.removeprefix("%bento_build ")).sample == sample
    assert build_call("iris", ["clf"], sample, ["predict"]).endswith(
        f"sample={sample}, endpoints=['predict'])"
    )
    name, obj, options = eval(build_call("iris", ["1", "2"], "[3]"), {"bj": Recorder})
    assert (name, obj, options) == ("iris", [1, 2], {"sample": [3]})


class Steps:
    def first(self, x: int) -> int:
        return x

    def second(self, x: int) -> int:
        return x

    def _hidden(self) -> None:
        pass


def served(x: int) -> int:
    return x


def test_only_what_can_be_served_is_offered_with_type_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.linear_model import LogisticRegression

    for each in (Steps, served):
        monkeypatch.setattr(each, "__module__", "__main__")
    clf = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    names = {"clf": clf, "steps": Steps(), "Steps": Steps, "served": served, "rows": [1], "pytest": pytest}
    offered = {each.name: each.words for each in servable({**names, "_": clf, "text": "a", "any": any})}
    assert list(offered) == ["clf", "steps", "Steps", "served"]
    assert offered["clf"].startswith("LogisticRegression, ")
    assert offered["clf"].endswith(" B")
    assert (offered["Steps"], offered["served"]) == ("class", "function")


def test_what_there_is_to_choose_from_as_endpoints() -> None:
    from sklearn.linear_model import LogisticRegression

    assert methods({"steps": Steps()}) == methods({"Steps": Steps}) == ["first", "second"]
    assert methods({"served": served}) == []
    assert methods({"served": served, "steps": Steps(), "test": methods}) == ["served", "test"]
    assert "predict" in methods({"clf": LogisticRegression().fit([[0.0], [1.0]], [0, 1])})
    assert methods({}) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("X  # all", "X"),
        ("X\n# c", "X"),
        ("f(\n a, # z\n b)", "f(\n a,\n b)"),
        ("X[:3], y[:3]", "(X[:3], y[:3])"),
        ("'# none'", "'# none'"),
        ("X[", "X["),
    ],
)
def test_an_expression_stands_among_arguments_as_it_is_meant(typed: str, meant: str) -> None:
    assert expression(typed) == meant
