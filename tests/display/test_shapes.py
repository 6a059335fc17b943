"""Cards, tables and charts as text and HTML; the seam of a followed log."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.client.following import Overlap
from bento_jupyter.display.charts import sparkline
from bento_jupyter.display.metrics import Metrics
from bento_jupyter.display.tables import Table, card_bundle
from bento_jupyter.insight import MetricsPoint, MetricsView
from bento_jupyter.spec import utc_now
from bento_jupyter.views import LogLine


class Words(HTMLParser):
    """The text of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def words_of(html: str) -> str:
    page = Words()
    page.feed(html)
    return page.text


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=40))
def test_whatever_a_value_is_it_is_text(value: str) -> None:
    bundle = card_bundle(value, "", [("label", value)], None)
    assert words_of(bundle["text/html"]).count(value) >= 2
    assert value in words_of(Table(["head"], [[value]])._repr_mimebundle_()["text/html"])


def test_a_cell_of_several_lines_takes_several_lines_of_the_text() -> None:
    assert str(Table(["a", "b"], [["1\n2", "x"]])) == "a  b\n1  x\n2"


@given(st.lists(st.none() | st.floats(0, 1e9), min_size=1, max_size=60))
def test_a_sparkline_has_a_sign_per_value_and_its_highest_where_the_highest_is(
    values: list[float | None],
) -> None:
    drawn = sparkline(values)
    assert len(drawn) == len(values)
    top = max((value for value in values if value), default=None)
    assert all((sign == "·") == (not value) for sign, value in zip(drawn, values, strict=True))
    if top is not None:
        assert drawn[values.index(top)] == "█"


@given(
    st.lists(st.tuples(st.integers(0, 899), st.integers(1, 50)), max_size=30, unique_by=lambda item: item[0])
)
def test_no_request_is_lost_between_the_points_and_the_chart(items: list[tuple[int, int]]) -> None:
    now = utc_now()
    points = [
        MetricsPoint(at=now - timedelta(seconds=ago), requests=count) for ago, count in sorted(items)[::-1]
    ]
    view = Metrics.of("iris", MetricsView(points=points, requests=sum(count for _, count in items)))
    bundle = view._repr_mimebundle_()
    assert bundle["text/html"].count("<svg") == 4
    assert "nan" not in bundle["text/html"]
    assert ("█" in bundle["text/plain"]) == bool(items)


@given(st.integers(0, 20), st.integers(0, 20), st.lists(st.sampled_from(["line 19", "a", "b"]), max_size=20))
def test_a_followed_log_goes_on_with_what_is_new(before: int, seen: int, rest: list[str]) -> None:
    log = [LogLine(source="one", text=f"line {number}") for number in range(before)]
    new = [LogLine(source="one", text=text) for text in rest]
    overlap = Overlap(log[max(0, before - seen) :], told=100)
    told = [line for each in [*log, *new] for line in overlap.new(each)]
    assert told == (new if seen and before else [*log, *new])


def test_a_log_that_was_begun_anew_is_not_kept_back_for_ever() -> None:
    now = [0.0]
    lines = [LogLine(source="image", text=text) for text in ("old", "new", "newer")]
    overlap = Overlap(lines[:1], told=100, clock=lambda: now[0])
    assert overlap.new(lines[1]) == []
    now[0] = 60.0
    assert overlap.new(lines[2])[1:] == lines[1:]


@given(st.integers(1, 20), st.integers(0, 20), st.integers(1, 30))
def test_a_log_that_grew_beyond_what_is_told_again_says_so(seen: int, grown: int, told: int) -> None:
    log = [LogLine(source="one", text=f"line {number}") for number in range(seen + grown)]
    told = min(told, len(log))
    overlap = Overlap(log[:seen], told)
    shown = [line for each in log[-told:] for line in overlap.new(each)]
    if told > grown:
        assert shown == log[seen:]
    else:
        assert "some are not shown" in shown[0].text
        assert shown[1:] == log[-told:]
