"""How many instances there should be: pure functions of observations, policy and clock.

The load says how many instances are needed now. Two windows steady it, as BentoCloud's
`scale_up_stabilization_window` and `scale_down_stabilization_window` (those of Kubernetes' horizontal
autoscaler) do: never more than what was needed at some time of the idle window, never fewer than what was
needed throughout the scale-up window; between the two, what there is stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from ..spec import Scaling

__all__ = ["Decision", "History", "Observation", "Policy", "decide", "needed", "needed_for_cpu", "observe"]

#: Share of its CPUs that an instance should use, and how far from that nothing is done.
CPU_TARGET, CPU_TOLERANCE = 0.8, 0.1


@dataclass(frozen=True)
class Observation:
    """The load at one time.

    Attributes:
        at: When, in seconds of a clock that never goes back.
        in_flight: Requests that instances work on.
        waiting: Requests that wait for one.
        cpu: CPU in use, in instances: 1.5 = one has nothing left, another one half.
        ready: Instances that are ready.
    """

    at: float
    in_flight: int = 0
    waiting: int = 0
    cpu: float = 0.0
    ready: int = 0


@dataclass(frozen=True)
class Policy:
    """What a deployment asks for.

    Attributes:
        min: Fewest instances.
        max: Most instances.
        concurrency: Requests per instance; None = one instance whenever there is load, more by CPU.
        idle_seconds: How long an instance stays that is no longer needed.
        scale_up_seconds: How long more must be needed before more are started (never delays the first).
    """

    min: int
    max: int
    concurrency: int | None
    idle_seconds: float
    scale_up_seconds: float = 0

    @classmethod
    def of(cls, scaling: Scaling, default_idle_seconds: float) -> Policy:
        """The policy of a deployment's scaling."""
        idle = default_idle_seconds if scaling.idle_seconds is None else scaling.idle_seconds
        return cls(scaling.min, scaling.max, scaling.concurrency, idle, scaling.scale_up_seconds)


@dataclass(frozen=True)
class History:
    """What was needed, as far as it still counts: a need holds from its observation to the next one.

    Attributes:
        need: What is needed since the newest observation.
        peaks: Earlier needs above all later ones, as `(end, need)`, falling.
        lows: Earlier needs below all later ones, as `(end, need)`, rising.
    """

    need: int = 0
    peaks: tuple[tuple[float, int], ...] = ()
    lows: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True)
class Decision:
    """What there should be.

    Attributes:
        wanted: Number of instances.
        again_at: When it may change without a new observation; None = it does not.
        history: What to give to the next decision.
    """

    wanted: int
    again_at: float | None
    history: History = field(repr=False)


def needed(observation: Observation, policy: Policy) -> int:
    """Instances that the load needs, whatever the limits."""
    load = observation.in_flight + observation.waiting
    if policy.concurrency is None:
        return max(min(load, 1), needed_for_cpu(observation))
    return math.ceil(load / policy.concurrency)


def needed_for_cpu(observation: Observation) -> int:
    """Instances that bring their CPU utilisation to the target; 0 where one is enough, or none.

    As Kubernetes' horizontal autoscaler reckons, BentoCloud's, too, for services without `concurrency`.
    Whether there has to be one at all is a question of requests, not of CPU.
    """
    target = observation.ready * CPU_TARGET
    if target and abs(observation.cpu / target - 1) <= CPU_TOLERANCE:
        instances = observation.ready
    else:
        instances = math.ceil(observation.cpu / CPU_TARGET)
    return instances if instances > 1 else 0


def observe(history: History, observation: Observation, policy: Policy) -> History:
    """Add an observation, which must not be older than those before; forget what no longer counts."""
    need, now = needed(observation, policy), observation.at
    peaks, lows = history.peaks, history.lows
    if need != history.need:
        peaks = (*(peak for peak in peaks if peak[1] > history.need), (now, history.need))
        lows = (*(low for low in lows if low[1] < history.need), (now, history.need))
    # Reckoned as `again_at` is: rounded otherwise, one could still count at the time when it no longer does.
    peaks = tuple(peak for peak in peaks if peak[1] > need and peak[0] + policy.idle_seconds > now)
    lows = tuple(low for low in lows if low[1] < need and low[0] + policy.scale_up_seconds > now)
    return replace(history, need=need, peaks=peaks, lows=lows)


def decide(history: History, observation: Observation, policy: Policy, current: int) -> Decision:
    """How many instances there should be now.

    Args:
        history: From the decision before; `History()` at first.
        observation: The load now.
        policy: The limits and windows; may differ from the one before.
        current: What was wanted before; 0 at first.

    Example:
        >>> policy = Policy(min=0, max=3, concurrency=2, idle_seconds=60)
        >>> decide(History(), Observation(at=0, waiting=5), policy, 0).wanted
        3
    """
    history = observe(history, observation, policy)
    ceiling = max([history.need, *(need for _, need in history.peaks)])
    floor = min([history.need, *(need for _, need in history.lows)])
    floor = max(floor, min(history.need, 1))
    wanted = min(max(current, floor), ceiling)
    ends = [end + policy.idle_seconds for end, _ in history.peaks]
    ends += [end + policy.scale_up_seconds for end, _ in history.lows]
    return Decision(min(max(wanted, policy.min), policy.max), min(ends, default=None), history)
