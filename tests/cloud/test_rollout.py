"""Rollouts end with what was wanted, and on the way keep to the bounds of their strategy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.cloud.rollout import (
    BEST_EFFORT,
    RAMPED_SLOW,
    RECREATE,
    ROLLING_UPDATE,
    Step,
    Stock,
    bounds,
    next_step,
)

STRATEGIES = [ROLLING_UPDATE, RECREATE, RAMPED_SLOW, BEST_EFFORT]


@given(
    strategy=st.sampled_from(STRATEGIES), wanted=st.integers(0, 40), old=st.integers(0, 40), data=st.data()
)
def test_a_rollout_ends_within_the_bounds_of_its_strategy(strategy, wanted, old, data):
    stock, proven = Stock(old=old), False
    surge, unavailable = bounds(strategy, wanted)
    for _ in range(500):
        step = next_step(strategy, wanted, stock, proven=proven)
        before = stock.ready + stock.old
        stock = Stock(stock.ready, stock.starting + step.start, stock.old - step.drain, step.drain)
        present = stock.ready + stock.starting + stock.old
        if strategy == RECREATE:
            assert not (step.start and (stock.old or step.drain))
        else:
            assert step.start == 0 or present <= max(wanted + surge, old)
            assert step.drain == 0 or stock.ready + stock.old >= min(before, wanted - unavailable)
        if not proven and strategy != RECREATE:
            assert stock.starting <= 1
        if not stock.starting and not stock.ending:
            break
        arrived = data.draw(st.integers(1, stock.starting)) if stock.starting else 0
        proven = proven or arrived > 0
        stock = Stock(stock.ready + arrived, stock.starting - arrived, stock.old)
    assert (stock.ready, stock.old) == (wanted, 0)


@pytest.mark.parametrize("strategy", [ROLLING_UPDATE, RAMPED_SLOW, BEST_EFFORT])
@given(wanted=st.integers(1, 40))
def test_what_answers_goes_on_until_a_new_instance_has_shown_that_it_starts(strategy, wanted):
    stock = Stock(old=wanted)
    for starting in (0, 1):
        stock = Stock(old=stock.old, starting=starting)
        stock = Stock(old=stock.old - next_step(strategy, wanted, stock, proven=False).drain, starting=1)
    assert stock.old >= 1
    assert stock.old == wanted or strategy == BEST_EFFORT


@pytest.mark.parametrize(
    ("strategy", "step"),
    [
        (ROLLING_UPDATE, Step(start=4, drain=2)),
        (RAMPED_SLOW, Step(start=1, drain=0)),
        (BEST_EFFORT, Step(start=1, drain=1)),
        (RECREATE, Step(start=0, drain=8)),
    ],
)
def test_the_first_step_of_eight(strategy, step):
    assert next_step(strategy, 8, Stock(old=8)) == step
