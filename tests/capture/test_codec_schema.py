"""What sample and type hint say together, and how a service annotates it."""

from __future__ import annotations

import dataclasses
import enum
import typing
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

import numpy as np
import pandas as pd
import pydantic
import pytest

from bento_jupyter.capture.interface.schema import annotation_of, describe_parameter


@dataclasses.dataclass
class Point:
    x: int


class Pair(NamedTuple):
    a: int
    b: str


class Person(pydantic.BaseModel):
    name: str


class Colour(enum.Enum):
    RED = "red"


FLOAT = {"kind": "float", "whole": True}
TEXT = {"kind": "str"}


@pytest.mark.parametrize(
    ("sample", "hint", "descriptor"),
    [
        (3, None, {"kind": "int"}),
        (3, float, FLOAT),
        (0.5, float, FLOAT),
        (3, Annotated[float, "metres"], FLOAT),
        (None, Optional[int], {"kind": "optional", "of": {"kind": "int"}}),  # noqa: UP045
        ("a", Optional[str], {"kind": "optional", "of": TEXT}),  # noqa: UP045
        ("a", str | None, {"kind": "optional", "of": TEXT}),
        ("a", Union[int, str], {"kind": "union", "of": [{"kind": "int"}, TEXT]}),  # noqa: UP007
        (1, Union[int, float], FLOAT),  # noqa: UP007
        ("a", Literal["a", "b"], {"kind": "choices", "of": TEXT, "values": ["a", "b"]}),
        ("red", Colour, {"kind": "choices", "of": TEXT, "values": ["red"]}),
        ([], list[str], {"kind": "list", "items": TEXT}),
        ([1], list[float], {"kind": "list", "items": FLOAT}),
        (
            [1, None],
            list[int | None],
            {"kind": "list", "items": {"kind": "optional", "of": {"kind": "int"}}},
        ),
        ({"a": 1}, dict[str, float], {"kind": "mapping", "values": FLOAT}),
        ({1: "a"}, dict[int, str], {"kind": "mapping", "keys": {"kind": "int"}, "values": TEXT}),
        ({"a": 1}, dict, {"kind": "mapping", "values": {"kind": "any"}}),
        ({"a": 1}, None, {"kind": "record", "fields": {"a": {"kind": "int"}}}),
        ((1, "a"), tuple[int, str], {"kind": "tuple", "items": [{"kind": "int"}, TEXT]}),
        ((1, 2), tuple[int, ...], {"kind": "tuple", "items": {"kind": "int"}}),
        ({1}, set[int], {"kind": "set", "items": {"kind": "int"}}),
        (1, Any, {"kind": "any"}),
        (1, object, {"kind": "any"}),
        ([1], list, {"kind": "list", "items": {"kind": "any"}}),
        (None, None, {"kind": "none"}),
        # The sample is believed where the hint contradicts it.
        (3, str, {"kind": "int"}),
        (np.float32(1), float, {"kind": "scalar", "dtype": "float32"}),
        (np.zeros((2, 3)), np.ndarray, {"kind": "array", "dtype": "float64", "shape": [-1, 3]}),
    ],
    ids=repr,
)
def test_a_hint_refines_what_the_sample_says(sample: Any, hint: Any, descriptor: dict[str, Any]) -> None:
    assert describe_parameter(sample, hint) == descriptor


@pytest.mark.parametrize(
    ("sample", "hint", "name"),
    [
        (Point(1), Point, "Point"),
        (Pair(1, "a"), Pair, "Pair"),
        (Person(name="Ada"), Person, "Person"),
        (Colour.RED, Colour, "Colour"),
        ([Person(name="Ada")], list[Person], f"list[{Person.__module__}.Person]"),
        (Point(1), None, "Point"),
    ],
    ids=repr,
)
def test_what_pydantic_reads_keeps_its_json_schema(sample: Any, hint: Any, name: str) -> None:
    found = describe_parameter(sample, hint)
    assert (found["kind"], found["type"]) == ("model", name)
    own = pydantic.TypeAdapter(hint or type(sample)).json_schema()
    person = own.pop("$defs", {}).get("Person")  # stands in place of references to it
    assert found["schema"] == (own if person is None else {**own, "items": person})


def test_a_dict_for_a_model_is_a_dict() -> None:
    assert describe_parameter({"name": "Ada"}, Person)["kind"] == "record"


def test_columns_that_had_no_missing_value_refuse_null() -> None:
    frame = pd.DataFrame(
        {
            "t": ["a", "b"],
            "gap": ["a", None],
            "f": [1.0, 2.0],
            "i": pd.array([1, 2], dtype="Int64"),
            "c": pd.Categorical(["u", "v"]),
            "o": pd.Series(["x", "y"], dtype=object),
        }
    )
    columns = {column["name"]: column for column in describe_parameter(frame)["columns"]}
    refusing = [name for name, column in columns.items() if column.get("nullable") is False]
    assert refusing == ["t", "c", "o"]
    assert columns["o"]["types"] == ["str"]


@pytest.mark.parametrize(
    ("sample", "source"),
    [
        (np.zeros((2, 3)), 'Annotated[np.ndarray, DType("float64"), Shape((-1, 3)), T]'),
        (np.array(["a"]), 'Annotated[np.ndarray, DType("str_"), Shape((-1,)), T]'),
        (np.array(["2024"], dtype="datetime64[Y]"), "Annotated[np.ndarray, Shape((-1,)), T]"),
        (np.array(1.5), 'Annotated[np.ndarray, DType("float64"), T]'),
        (
            pd.DataFrame({"a": [1]}),
            "Annotated[\n    pd.DataFrame,\n    DataframeSchema(columns=('a',)),\n    T,\n]",
        ),
        (1, "Annotated[int, T]"),
        ({"a": 1}, "Annotated[dict[str, Any], T]"),
        ([0.5], "Annotated[list[float], T]"),
        (Point(1), "Annotated[Point, T]"),
        (pd.Series([1]), "Annotated[Any, T]"),
    ],
)
def test_annotations_name_bentomls_own_types(sample: Any, source: str) -> None:
    found, imports = annotation_of(describe_parameter(sample), "T")
    assert found == source
    namespace: dict[str, Any] = {"T": object(), "Point": Point}
    for line in imports:
        exec(line, namespace)
    assert typing.get_args(eval(found, namespace))[-1] is namespace["T"]


def test_the_class_of_a_model_can_be_named() -> None:
    found, _ = annotation_of(describe_parameter(Point(1)), "T", "notebook_code.Point")
    assert found == "Annotated[notebook_code.Point, T]"
