"""Examples of requests, from the schema in a Bento's manifest."""

from __future__ import annotations

import json

import pytest

from bento_jupyter.examples import endpoints_of, example_of


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
