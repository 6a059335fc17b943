"""Fields for inputs of endpoints: what is entered and what is not, rules of the schema, code, secrets."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.codec import decode, encode
from bento_jupyter.forms import fields
from bento_jupyter.forms.code import is_written, written
from bento_jupyter.forms.given import Secret
from bento_jupyter.forms.inputs import Data, OrNone, Pick, input_field
from bento_jupyter.forms.rules import rule_of

INTEGER = {"type": "integer", "descriptor": {"kind": "optional", "of": {"kind": "int"}}}
TEXT = {"type": "string", "descriptor": {"kind": "optional", "of": {"kind": "str"}}}
CHOICES = {"descriptor": {"kind": "optional", "of": {"kind": "choices", "values": ["kind", "curt"]}}}
FLAG = {"descriptor": {"kind": "optional", "of": {"kind": "bool"}}}


def labels(field: fields.Field) -> list[str]:
    assert isinstance(field, Pick)
    return [shown for shown, _ in field.widget.options]


def choose(field: fields.Field, label: str) -> None:
    assert isinstance(field, Pick)
    field.widget.value = labels(field).index(label)


def test_a_number_is_not_entered_given_or_none() -> None:
    field: Any = input_field("n", {**INTEGER, "default": 3}, {})
    assert not field.entered
    field.widget.value = "null"
    assert (field.entered, field.value, field.own_problem()) == (True, None, "")
    field.widget.value = "4"
    assert (field.entered, field.value) == (True, 4)
    whole: Any = input_field("n", {"type": "integer", "descriptor": {"kind": "int"}}, {}, needed=True)
    whole.settle()
    assert whole.problem == "it is needed"
    whole.widget.value = "null"
    whole.settle()
    assert "a whole number is wanted" in whole.problem


@pytest.mark.parametrize(("schema", "value"), [(CHOICES, "kind"), (FLAG, True)])
def test_a_choice_offers_none_and_the_default_where_these_differ(
    schema: dict[str, Any], value: object
) -> None:
    by_default = input_field("a", {**schema, "default": None}, {})
    assert labels(by_default)[0] == "none"
    assert "default" not in labels(by_default)
    assert not by_default.entered
    needed = input_field("a", schema, {}, needed=True)
    assert "default" not in labels(needed)
    assert (needed.entered, needed.value) == (True, None)
    other = input_field("a", {**schema, "default": value}, {})
    assert labels(other)[:2] == ["default", "none"]
    assert not other.entered
    choose(other, "none")
    assert (other.entered, other.value) == (True, None)
    other.value = value
    assert (other.entered, other.value) == (True, value)


def test_a_text_can_be_none_where_an_empty_one_is_the_default() -> None:
    assert isinstance(input_field("a", {**TEXT, "default": None}, {}), fields.Text)
    field = input_field("a", {**TEXT, "default": "x"}, {})
    assert isinstance(field, OrNone)
    assert not field.entered
    field.value = "x"
    assert (field.entered, field.value) == (True, "x")
    field.flag.value = True
    assert (field.entered, field.value) == (True, None)
    assert field.text.disabled
    needed = input_field("a", TEXT, {}, needed=True)
    needed.settle()
    assert not needed.is_sound
    needed.value = None
    needed.settle()
    assert needed.is_sound


@pytest.mark.parametrize(
    ("schema", "good", "bad", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, 9, 10, "less than or equal to 9"),
        ({"type": "number", "exclusiveMinimum": 0}, 0.1, 0, "greater than 0"),
        ({"type": "integer", "multipleOf": 5}, 10, 11, "multiple of 5"),
        ({"type": "string", "minLength": 2}, "ab", "a", "at least 2 characters"),
        ({"type": "string", "maxLength": 2}, "ab", "abc", "at most 2 characters"),
        ({"type": "string", "pattern": "^(?!no)[a-z]+$"}, "yes", "no", "match pattern"),
        ({"type": "string", "pattern": r"^\p{L}+$"}, "é", "1", "match pattern"),
        ({"type": "string", "pattern": "^(a+)+$"}, "a", "a" * 60 + "b", "match pattern"),
        ({"type": "string", "format": "date"}, "2026-01-31", "text", "valid date"),
        ({"type": "string", "format": "uuid"}, "12345678-1234-5678-1234-567812345678", "1", "UUID"),
    ],
)
def test_rules_of_the_schema_are_said_before_anything_is_sent(
    schema: dict[str, Any], good: Any, bad: Any, words: str
) -> None:
    field = input_field("a", schema, {})
    field.value = good
    field.settle()
    assert field.is_sound, field.problem
    field.value = bad
    field.settle()
    assert words in field.problem


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": "string", "pattern": "("},
        {"type": "integer", "minLength": 2},
        {"type": 3},
    ],
)
def test_rules_that_there_are_not_or_that_nobody_knows_refuse_nothing(schema: dict[str, Any]) -> None:
    assert rule_of(schema) is None


def test_a_secret_is_in_no_state_of_a_widget() -> None:
    field = input_field("key", {"type": "string", "format": "password", "writeOnly": True}, {}, needed=True)
    assert isinstance(field, Secret)
    field.widget.set_state({"value": "s3cret"})
    assert field.value == "s3cret"
    assert "s3cret" not in repr([each.get_state() for each in (field.widget, field.box, field.clear)])
    assert field.clear.layout.display == ""
    field.clear.click()
    assert not field.entered
    assert field.clear.layout.display == "none"


def test_a_file_can_be_taken_back() -> None:
    field: Any = input_field("image", {"type": "file", "format": "image"}, {}, needed=True)
    sent = {"name": "huge.png", "type": "image/png", "content": memoryview(b"\x89PNG" + b"\0" * 200_000)}
    field.widget.set_state({"value": [sent]})
    assert "huge.png" in field.shown.value  # and no preview, for there is no picture in it
    field.settle()
    assert field.is_sound
    field.clear.click()
    field.settle()
    assert field.problem == "it is needed"


@pytest.mark.parametrize(
    ("descriptor", "text", "words"),
    [
        ({"kind": "date"}, '"2024-01-01"', "'2024-01-01'"),
        ({"kind": "bytes"}, '"YWJj"', "b'abc'"),
        ({"kind": "list", "items": {"kind": "bytes"}}, '["YQ=="]', "[b'a']"),
        ({"kind": "set", "items": {"kind": "int"}}, "[2]", "{2}"),
        ({"kind": "set", "items": {"kind": "float"}}, "[2.5]", "[2.5]"),
        ({"kind": "series", "name": None, "dtype": "float64"}, "[1.5, null]", "[1.5, None]"),
    ],
)
def test_the_code_of_data_needs_no_import(descriptor: dict[str, Any], text: str, words: str) -> None:
    field = Data("a", descriptor, {})
    field.text.value = text
    assert field.words == words
    eval(words, {})


def test_an_expression_is_shown_without_its_comment_and_looked_at_when_it_is_whole() -> None:
    field = Data("a", {"kind": "json"}, {})
    field.expression.value = "X[:3], y[:3]  # both"
    assert field.words == "(X[:3], y[:3])"
    assert field.expression.continuous_update is False


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(), inner, max_size=3)
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=8,
)


@given(PLAIN)
def test_what_is_written_makes_the_value(value: Any) -> None:
    if is_written(value):
        assert eval(written(value), {}) == value


@given(st.dates() | st.datetimes() | st.times() | st.decimals(allow_nan=False) | st.uuids())
def test_the_json_of_a_value_is_taken_in_its_place(value: Any) -> None:
    from bento_jupyter.client.payload import encoded
    from bento_jupyter.codec import describe

    descriptor = describe(value)
    sent = encode(value, descriptor)
    assert encoded({"name": "f"}, "input 'x'", sent, descriptor) == sent
    assert decode(sent, descriptor) == value


def test_a_text_is_no_bytes() -> None:
    from bento_jupyter.client.payload import encoded
    from bento_jupyter.errors import CallError

    for descriptor, value in [
        ({"kind": "bytes"}, "abcd"),
        ({"kind": "list", "items": {"kind": "bytes"}}, ["abcd"]),
        ({"kind": "date"}, "tomorrow"),
        ({"kind": "date"}, datetime.time(3)),
    ]:
        with pytest.raises(CallError, match="does not fit"):
            encoded({"name": "f"}, "input 'x'", value, descriptor)
