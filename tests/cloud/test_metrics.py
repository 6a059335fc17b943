"""Latencies and metrics: merged, bounded, and nothing at all for who is idle."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.cloud.latency import Histogram
from bento_jupyter.cloud.metrics import SPANS, Metrics
from bento_jupyter.spec import utc_now
from bento_jupyter.views import ColdStart

durations = st.floats(min_value=0.0002, max_value=3600)


def load(
    requests: int, errors: int = 0, in_flight: int = 0, waiting: int = 0, latency: dict | None = None
) -> dict:
    counts = {str(bucket): count for bucket, count in (latency or {}).items()}  # as JSON says it
    return {
        "requests": requests,
        "errors": errors,
        "in_flight": in_flight,
        "waiting": waiting,
        "latency": counts,
    }


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(durations, min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_right_to_within_a_fifth(seconds, share):
    histogram = Histogram()
    for each in seconds:
        histogram.add(each)
    ordered = sorted(seconds)
    exact = ordered[max(0, -(-int(share * len(ordered) * 1000) // 1000) - 1)]
    found = histogram.quantile(share)
    assert ordered[0] * 0.8 <= found <= ordered[-1] * 1.2
    below = sum(each <= found * 1.2 for each in ordered)
    assert below >= share * len(ordered) - 1e-6
    assert exact * 0.8 <= found * 1.2


@given(st.lists(durations), st.lists(durations))
def test_merging_is_counting_together(first, second):
    one, other, both = Histogram(), Histogram(), Histogram()
    for histogram, seconds in ((one, first), (other, second), (both, [*first, *second])):
        for each in seconds:
            histogram.add(each)
    one.merge(other.take())
    assert one.counts == both.counts
    assert other.counts == Counter()
    assert other.quantiles() == {}


@given(st.floats(min_value=0, max_value=1e9))
def test_every_duration_has_a_place(seconds):
    histogram = Histogram()
    histogram.add(seconds)
    assert sum(histogram.counts.values()) == 1


def test_requests_are_counted_in_the_second_and_minute_they_came_in():
    clock = Clock()
    metrics = Metrics(clock)
    metrics.load(load(3, 1, in_flight=2, latency={40: 3}))
    metrics.load(load(5, 1, in_flight=1, waiting=4, latency={44: 2}))
    clock.now += 1
    metrics.load(load(6, 1, latency={44: 1}))
    seconds, minutes = metrics.view(1).points, metrics.view(60).points
    assert [(point.requests, point.errors, point.in_flight, point.queued) for point in seconds] == [
        (5, 1, 2, 4),
        (1, 0, 1, 4),  # what was under way when the second began counts in it
    ]
    assert [point.requests for point in minutes] == [6]
    assert seconds[0].latency["p50"] < seconds[1].latency["p50"]
    assert metrics.view().requests == 6


def test_a_gateway_that_begins_anew_takes_nothing_back():
    metrics = Metrics(Clock())
    metrics.load(load(10, 2, in_flight=3))
    metrics.gateway_restarted()
    assert (metrics.view().requests, metrics.view().in_flight) == (10, 0)
    metrics.load(load(1))
    assert metrics.view().requests == 11


def test_what_a_set_had_under_way_is_over_when_it_is_gone():
    metrics = Metrics(Clock())
    metrics.load(load(10, in_flight=1, waiting=1))
    metrics.load(load(4, in_flight=3, waiting=2), "canary")
    metrics.forget("canary")
    metrics.forget("never")
    view = metrics.view()
    assert (view.requests, view.in_flight, view.queued) == (14, 1, 1)
    metrics.load(load(1), "canary")
    assert metrics.view().requests == 15, "the gateway counts a new set from 0"


@pytest.mark.parametrize("step", SPANS)
def test_points_are_forgotten_when_they_are_too_old(step):
    clock = Clock()
    metrics = Metrics(clock)
    for number in range(SPANS[step] + 20):
        metrics.load(load(number))
        clock.now += step
    points = metrics.view(step).points
    assert len(points) < SPANS[step]
    assert clock.now - points[0].at.timestamp() <= SPANS[step] * step
    clock.now += SPANS[step] * step
    assert metrics.view(step).points == []


def test_who_is_idle_costs_no_points():
    clock = Clock()
    metrics = Metrics(clock)
    metrics.instances(0)
    assert metrics.view().points == []
    metrics.instances(1)
    clock.now += 300
    metrics.instances(1)
    assert [point.ready for point in metrics.view().points] == [1]
    metrics.instances(0)
    clock.now += 5
    metrics.load(load(1))
    assert [point.ready for point in metrics.view().points] == [1, 1, 0, 0]


def test_cold_starts_are_kept_with_their_phases():
    metrics = Metrics(Clock())
    for number in range(60):
        metrics.cold_start(f"i-{number}", ColdStart(at=utc_now(), seconds=1.5, phases={"imports": 1.0}))
    kept = metrics.view().cold_starts
    assert len(kept) == 50
    assert (kept[-1].instance, kept[-1].phases) == ("i-59", {"imports": 1.0})
