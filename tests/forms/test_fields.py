"""Every kind of field that a model can be entered with, without a browser."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from bento_jupyter.forms import fields, rows
from bento_jupyter.forms.choices import Choice, Several
from bento_jupyter.forms.given import File, Secret
from bento_jupyter.forms.models import Group, described


class Colour(str, Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    """A part.

    Attributes:
        weight: Percent of the requests;
            all canaries together stay below 100.
    """

    weight: int = Field(10, gt=0, lt=100)
    note: str = ""


class Everything(BaseModel):
    """All kinds.

    Attributes:
        text: Some text.
        number: How many; None = as many as there are.
    """

    text: str
    size: int
    number: int | None = Field(None, ge=1)
    share: float = 0.5
    flag: bool = False
    maybe: bool | None = None
    colour: Colour = Colour.RED
    way: Literal["up", "down", "left", "right"] | None = None
    words: list[str] = []
    pairs: dict[str, str] = {}
    inner: Inner = Inner()
    canary: Inner | None = None
    canaries: dict[str, Inner] = {}
    parts: list[Inner] = []
    token: SecretStr = SecretStr("")
    file: bytes = b""
    at: Annotated[datetime | None, Field(description="When; None = never.")] = None
    anything: Any = None


FULL = {
    "text": "a b",
    "size": 3,
    "number": 7,
    "share": 0.25,
    "flag": True,
    "maybe": False,
    "colour": Colour.BLUE,
    "way": "left",
    "words": ["a", "b, c"],
    "pairs": {"A": "1", "B": "x=y"},
    "inner": Inner(weight=20, note="n"),
    "canary": Inner(weight=30),
    "canaries": {"v2": Inner(weight=5)},
    "parts": [Inner(weight=1), Inner(weight=2)],
    "token": SecretStr("s3cret"),
    "file": b"\x00\x01",
    "at": datetime(2026, 1, 2, 3, 4, 5),
    "anything": {"a": [1, None]},
}


@pytest.fixture
def group() -> Group:
    return Group(Everything)


def test_a_model_is_entered_whole_and_comes_back_the_same(group: Group) -> None:
    group.value = Everything(**FULL)
    assert group.read() == Everything(**FULL)


def test_what_is_left_empty_is_the_default(group: Group) -> None:
    group["text"].value, group["size"].value = "x", 1
    assert group.read() == Everything(text="x", size=1)


def test_each_type_has_its_kind_of_field(group: Group) -> None:
    kinds = {name: type(field) for name, field in group.fields.items()}
    assert kinds["number"] is fields.Number
    assert kinds["flag"] is fields.Flag
    assert kinds["maybe"] is Choice
    assert kinds["words"] is rows.Listing
    assert kinds["pairs"] is kinds["canaries"] is rows.Mapping
    assert kinds["inner"] is Group
    assert kinds["token"] is Secret
    assert kinds["file"] is File
    assert kinds["at"] is kinds["anything"] is fields.Json


def test_labels_tooltips_and_defaults_are_the_models_words(group: Group) -> None:
    widget = group["number"].widgets[0]
    assert widget.description == "Number"
    assert widget.tooltip == "How many; None = as many as there are."
    assert widget.placeholder == "default: as many as there are"
    assert group["at"].widgets[0].placeholder == "default: never"
    assert list(group.fields) == list(Everything.model_fields)
    assert described(Inner) == {"weight": "Percent of the requests; all canaries together stay below 100."}


def test_what_pydantic_finds_wrong_stands_beside_its_field(group: Group) -> None:
    group.value = FULL
    group["size"].value = None
    group["number"].value = 0
    group["canary"].value = Inner.model_construct(weight=100, note="")
    group["canaries"].value = {"v2": Inner.model_construct(weight=0, note="")}
    group["parts"].value = [Inner(), Inner.model_construct(weight=-1, note="")]
    assert group.read() is None
    assert "required" in group["size"].problem
    assert "greater than or equal to 1" in group["number"].problem
    assert "less than 100" in group.at(("canary", "weight")).problem
    assert "greater than 0" in group.at(("canaries", "v2", "weight")).problem
    assert group.at(("parts", 0, "weight")).problem == ""
    assert "greater than 0" in group.at(("parts", 1, "weight")).problem
    group.value = FULL
    assert group.read() == Everything(**FULL)
    assert group["number"].problem == ""


def test_what_is_no_number_is_said_to_be_none(group: Group) -> None:
    group.value = FULL
    group["number"].widgets[0].value = "many"
    assert group.read() is None
    assert "valid integer" in group["number"].problem


def test_a_name_given_twice_or_missing_is_said(group: Group) -> None:
    pairs = group["pairs"]
    assert isinstance(pairs, rows.Mapping)
    for key, value in (("A", "1"), ("A", "2")):
        row = pairs.more()
        row[0].value, row[1].value = key, value
    pairs.settle()
    assert pairs.problem == "A: given twice"
    pairs.value = {"A": "1"}
    pairs.more()[1].value = "alone"
    pairs.settle()
    assert pairs.problem == "a value has no name"


def test_rows_come_and_go_by_their_buttons(group: Group) -> None:
    words = group["words"]
    assert isinstance(words, rows.Listing)
    words.add.click()
    words.add.click()
    words.inner()[0].value, words.inner()[1].value = "a", "b"
    first_row = words._list.children[0]
    first_row.children[-1].click()
    assert words.value == ["b"]


def test_a_secret_is_in_no_state_of_its_widget_and_nothing_is_echoed(group: Group) -> None:
    secret = group["token"]
    assert isinstance(secret, Secret)
    secret.widget.set_state({"value": "s3cret"})
    assert secret.value == "s3cret"
    assert "s3cret" not in repr(secret.widget.get_state())
    assert "6 characters" in secret.widget.placeholder
    secret.forget()
    assert secret.value == ""


def test_a_file_is_in_no_state_of_its_widget(group: Group) -> None:
    file = group["file"]
    assert isinstance(file, File)
    item = {"name": "a.bin", "type": "", "size": 2, "last_modified": 0, "content": memoryview(b"\x01\x02")}
    file.widget.set_state({"value": [item]})
    assert file.value == b"\x01\x02"
    assert file.widget.value == ()
    assert "a.bin" in file.shown.value


def test_a_choice_keeps_a_value_that_it_does_not_know() -> None:
    choice = Choice("Type", [("small", "cpu.1")])
    choice.value = "gpu.9"
    assert choice.value == "gpu.9"
    choice.offer([("small", "cpu.1"), ("large", "cpu.2")])
    assert choice.value == "cpu.1"


def test_the_default_is_a_choice_that_is_seen(group: Group) -> None:
    group["way"].value = "up"
    group["way"].value = None
    assert group["way"].widgets[0].label == "default"


def test_some_of_several_are_ticked() -> None:
    several = Several("Secrets", [("a", "a"), ("b", "b")])
    several.value = ["b", "of-another-cloud"]
    assert several.value == ["b", "of-another-cloud"]


def test_a_message_of_the_cloud_finds_the_field_that_it_names() -> None:
    group = Group(Everything)
    assert group.meant("the number has to be 1 at least") is group["number"]
    assert group.meant("no canaries here") is group["canaries"]
    assert group.meant("nothing of the sort") is None


def test_what_is_wrong_is_escaped() -> None:
    assert "<img" not in fields.alert("<img src=x>", "<b>")
