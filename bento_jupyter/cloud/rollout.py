"""How instances of an earlier revision are replaced: BentoCloud's four strategies. Pure.

The bounds of each strategy are those that Kubernetes and Yatai give them: how many instances there may be
above what is wanted meanwhile (surge), and how many may be missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["BEST_EFFORT", "RAMPED_SLOW", "RECREATE", "ROLLING_UPDATE", "Step", "Stock", "next_step"]

ROLLING_UPDATE = "RollingUpdate"
RECREATE = "Recreate"
RAMPED_SLOW = "RampedSlowRollout"
BEST_EFFORT = "BestEffortControlledRollout"


@dataclass(frozen=True)
class Stock:
    """The instances that there are.

    Attributes:
        ready: Ready ones of the wanted blueprint.
        starting: Starting ones of it.
        old: Ready ones of earlier blueprints.
        ending: Those that end: they take no requests, but are not gone.
    """

    ready: int = 0
    starting: int = 0
    old: int = 0
    ending: int = 0


@dataclass(frozen=True)
class Step:
    """What to do now.

    Attributes:
        start: How many to start.
        drain: How many old ones to end.
    """

    start: int = 0
    drain: int = 0


def next_step(strategy: str, wanted: int, stock: Stock, *, proven: bool = True) -> Step:
    """What brings the instances nearer to `wanted` ones of the wanted blueprint.

    Args:
        strategy: `RollingUpdate`: quick, a quarter more or less meanwhile, rounded in favour of answering.
            `RampedSlowRollout`: one more at a time, none missing. `BestEffortControlledRollout`: none more,
            a fifth missing (at least one, but not the only one). `Recreate`: all old ones end first.
        wanted: How many there should be.
        stock: Those that there are.
        proven: An instance of the wanted blueprint was ready once. While not, one is started at most: it
            shows whether they start at all.

    Example:
        >>> next_step("RollingUpdate", 1, Stock(old=1))
        Step(start=1, drain=0)
        >>> next_step("RollingUpdate", 1, Stock(old=1, ready=1))
        Step(start=0, drain=1)
    """
    present = stock.ready + stock.starting
    missing = max(0, (wanted if proven else min(wanted, 1)) - present)
    if stock.ready >= wanted:
        return Step(start=0, drain=stock.old)
    if strategy == RECREATE:
        return Step(start=0 if stock.old or stock.ending else missing, drain=stock.old)
    surge, unavailable = bounds(strategy, wanted)
    drain = max(0, min(stock.old, stock.ready + stock.old - (wanted - unavailable)))
    if surge and not proven:
        drain = min(drain, max(0, stock.old - wanted))  # nothing answers in their place yet
    room = max(0, wanted + surge - present - (stock.old - drain))
    return Step(start=min(missing, room), drain=drain)


def bounds(strategy: str, wanted: int) -> tuple[int, int]:
    """How many there may be above `wanted`, and how many below."""
    if strategy == RAMPED_SLOW:
        return 1, 0
    if strategy == BEST_EFFORT and wanted > 1:
        return 0, max(1, wanted // 5)
    return max(1, math.ceil(wanted / 4)), wanted // 4
