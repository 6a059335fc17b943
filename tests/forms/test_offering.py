"""What stays chosen when a form looks again, or somebody searches."""

from __future__ import annotations

import pytest

from bento_jupyter.forms import fields
from bento_jupyter.forms.bento_picker import BentoPicker
from bento_jupyter.forms.choices import Choice, Several

BENTOS = [("b:2", "b:2  new"), ("b:1", "b:1  old"), ("a:1", "a:1  old")]
KINDS = [("default", None), ("small", "cpu.1"), ("large", "cpu.2"), ("huge", "gpu.1")]


@pytest.fixture
def picker() -> BentoPicker:
    return BentoPicker("Bento", BENTOS)


def heard_by(field: fields.Field) -> list[object]:
    """The values that a listener sees from now on."""
    heard: list[object] = []
    field.watch(lambda: heard.append(field.value))
    return heard


def test_what_was_chosen_by_hand_comes_back_after_a_search(picker: BentoPicker) -> None:
    picker.widget.value = "b:1"
    picker.search.value = "a:"
    assert picker.value == "a:1"
    picker.search.value = "old"
    assert picker.value == "b:1"
    picker.search.value = "nothing like that"
    assert picker.value == ""
    assert picker.own_problem() == "nothing found"
    picker.search.value = ""
    assert picker.value == "b:1"


def test_what_was_put_comes_back_after_a_search(picker: BentoPicker) -> None:
    picker.value = "c:1"
    picker.search.value = "a:"
    picker.search.value = ""
    assert picker.value == "c:1"


def test_what_is_chosen_among_the_found_is_the_choice_from_then_on(picker: BentoPicker) -> None:
    picker.widget.value = "b:2"
    picker.search.value = "old"
    picker.widget.value = "a:1"
    picker.search.value = ""
    assert picker.value == "a:1"


def test_what_a_search_found_stays_where_nothing_was_chosen_by_hand(picker: BentoPicker) -> None:
    picker.search.value = "a:"
    picker.search.value = ""
    assert picker.value == "a:1"


def test_a_search_and_other_bentos_between_keep_what_was_chosen(picker: BentoPicker) -> None:
    picker.widget.value = "b:1"
    picker.search.value = "a:"
    picker.offer([("a:2", "a:2  new"), ("a:1", "a:1  old")])
    assert picker.value == "a:1"
    picker.search.value = ""
    assert picker.value == "b:1"


def test_nobody_hears_of_what_is_chosen_for_a_moment_only(picker: BentoPicker) -> None:
    picker.widget.value = "a:1"
    heard = heard_by(picker)
    picker.search.value = "old"
    picker.value = "b:1"
    picker.offer(BENTOS[1:])
    assert set(heard) == {"a:1", "b:1"}


def test_a_choice_that_is_gone_stays_until_another_is_chosen() -> None:
    choice = Choice("Type", KINDS)
    choice.value = "gpu.1"
    heard = heard_by(choice)
    for _ in range(2):
        choice.offer(KINDS[:3], keep=True)
        assert (choice.value, choice.widget.label) == ("gpu.1", "huge (gone)")
    assert heard == []
    choice.value = "cpu.1"
    choice.offer(KINDS[:3], keep=True)
    assert choice.widget._options_labels == ("default", "small", "large")
    assert choice.value == "cpu.1"


def test_a_choice_that_is_there_again_is_gone_no_more() -> None:
    choice = Choice("Type", KINDS)
    choice.value = "gpu.1"
    choice.offer(KINDS[:1], keep=True)
    choice.offer(KINDS, keep=True)
    assert (choice.value, choice.widget.label) == ("gpu.1", "huge")


def test_a_choice_of_what_depends_on_another_falls_to_the_first() -> None:
    choice = Choice("Endpoint", [("predict", "predict"), ("explain", "explain")])
    choice.value = "explain"
    heard = heard_by(choice)
    choice.offer([("", "")])
    assert choice.value == ""
    assert heard == [""]


def test_a_choice_of_nothing_keeps_nothing() -> None:
    choice = Choice("Type", [])
    choice.offer(KINDS[1:], keep=True)
    assert (choice.value, choice.widget._options_labels) == (None, ("small", "large", "huge"))


def test_ticks_of_what_is_gone_stay_until_they_are_taken_away() -> None:
    several = Several("Secrets", [("A", "a"), ("B", "b"), ("C", "c")])
    several.value = ["a", "b"]
    heard = heard_by(several)
    for _ in range(2):
        several.offer([("C", "c"), ("A", "a")], keep=True)
        assert several.value == ["a", "b"]
        assert [box.description for box in several._list.children[1:]] == ["C", "A", "B (gone)"]
    assert heard == []
    several.value = ["a"]
    several.offer([("C", "c"), ("A", "a")], keep=True)
    assert [box.description for box in several._list.children[1:]] == ["C", "A"]
    several.value = []
    several.offer([], keep=True)
    assert len(several._list.children) == 1


def test_a_tick_that_is_there_again_is_gone_no_more() -> None:
    several = Several("Secrets", [("B", "b")])
    several.value = ["b"]
    several.offer([], keep=True)
    several.offer([("B", "b")], keep=True)
    assert several.value == ["b"]
    assert several._list.children[-1].description == "B"


def test_ticks_of_what_depends_on_another_are_dropped() -> None:
    several = Several("Endpoints", [("predict", "predict")])
    several.value = ["predict"]
    heard = heard_by(several)
    several.offer([("explain", "explain")])
    assert several.value == []
    assert heard == [[]]
