"""Examples of requests, from the schema in a Bento's manifest."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.examples import endpoints_of, example_of
from bento_jupyter.forms.rules import rule_of


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "integer"}, 0),
        ({"type": "string", "default": "hello"}, "hello"),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "tensor", "dtype": "int64", "shape": [-1, 3]}, [[0, 0, 0]]),
        ({"type": "tensor", "dtype": "str_", "shape": [-1]}, ["text"]),
        ({"type": "tensor"}, [0.0]),
        ({"type": "array", "items": {"type": "boolean"}}, [False]),
        ({"type": "dataframe", "columns": ["a"]}, [{"a": 0}]),
        (
            {"type": "dataframe", "descriptor": {"columns": [{"name": "x", "dtype": "category"}]}},
            [{"x": "text"}],
        ),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, 0.0),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 0}),
    ],
)
def test_an_example_fits_its_schema(schema: dict, example: object) -> None:
    assert example_of(schema) == example


@given(
    kind=st.sampled_from(["integer", "number"]),
    low=st.none() | st.integers(-50, 50),
    room=st.none() | st.integers(3, 60),
    exclusive=st.booleans(),
    multiple=st.none() | st.integers(1, 3),
)
def test_the_example_of_a_number_is_within_its_bounds(
    kind: str, low: int | None, room: int | None, exclusive: bool, multiple: int | None
) -> None:
    schema: dict = {"type": kind}
    if low is not None:
        schema["exclusiveMinimum" if exclusive else "minimum"] = low
    if room is not None:
        schema["maximum"] = (low or 0) + room
    if multiple is not None:
        schema["multipleOf"] = multiple
    jsonschema.validate(example_of(schema), schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 9},
        {"type": "string", "maxLength": 2},
        *({"type": "string", "format": each} for each in ("date", "date-time", "time", "uuid", "duration")),
    ],
)
def test_the_example_of_a_text_is_of_its_length_and_format(schema: dict) -> None:
    rule = rule_of(schema)
    assert rule is not None
    assert rule(example_of(schema)) == ""


def test_a_definition_that_refers_to_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    assert example_of({"$ref": "#/$defs/Node"}, {"Node": node}) == {"next": "text"}


def test_predict_comes_first_and_files_have_no_example() -> None:
    manifest = {
        "schema": {
            "routes": [
                {"name": "look", "route": "/look", "input": {"properties": {"image": {"type": "file"}}}},
                {"name": "predict", "route": "/predict", "input": {"properties": {"n": {"type": "integer"}}}},
            ]
        }
    }
    first, second = endpoints_of(manifest)
    assert (first.name, json.loads(first.example)) == ("predict", {"n": 0})
    assert (second.route, second.example) == ("/look", "")
    assert endpoints_of({}) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": ["x"]},
        {"root_input": True, "anyOf": "x"},
        {"root_input": True, "type": "tensor", "shape": ["x"]},
        {"root_input": True, "type": "tensor", "shape": [100_000, 100_000]},
    ],
)
def test_a_schema_that_nothing_can_be_made_of_has_no_example(schema: dict) -> None:
    (endpoint,) = endpoints_of({"schema": {"routes": [{"route": "/odd", "input": schema}]}})
    assert (endpoint.route, endpoint.example) == ("/odd", "")
