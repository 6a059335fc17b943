"""What status a deployment is in: pure functions of what is known about its replica sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..spec import FAILED_STATUSES, READY_STATUSES, Status

__all__ = ["Facts", "Verdict", "combine", "in_development", "judge", "with_canaries"]


#: Statuses that say more than that of the entry service, the gravest first.
GRAVE = (
    Status.IMAGE_BUILD_FAILED,
    Status.FAILED,
    Status.UNHEALTHY,
    Status.IMAGE_BUILDING,
    Status.DEPLOYING,
    Status.TERMINATING,
)


@dataclass(frozen=True)
class Facts:
    """What is known about one replica set of a deployment.

    Attributes:
        terminated: Nothing of it should run.
        present: Instances that there are, whatever their state.
        ready: Ready instances of the wanted blueprint.
        starting: Starting instances of the wanted blueprint.
        old_ready: Ready instances of an earlier blueprint, which still answer.
        wanted: Instances that there should be.
        on_demand: It may have none, and is woken by requests.
        image: State of the image: pending, building, success or failed.
        image_reason: Why it failed.
        given_up: Why it is not tried any more to start instances; "" = it is.
        failures: How many starts or instances in a row have failed.
        last_failure: Why the newest of them did.
        was_ready: An instance of the wanted blueprint was ready once.
        listening: The gateway listens on its port.
        port_error: Why the gateway cannot; "" = it can, or has not said yet.
        revision: Number of the wanted revision.
        waits_for: What keeps an instance from even being started; "" = nothing.
    """

    terminated: bool = False
    present: int = 0
    ready: int = 0
    starting: int = 0
    old_ready: int = 0
    wanted: int = 0
    on_demand: bool = False
    image: str = "success"
    image_reason: str = ""
    given_up: str = ""
    failures: int = 0
    last_failure: str = ""
    was_ready: bool = False
    listening: bool = True
    port_error: str = ""
    revision: int = 1
    waits_for: str = ""


@dataclass(frozen=True)
class Verdict:
    """A status.

    Attributes:
        status: The word of the wire.
        reason: Why, in words; "" when there is nothing to say.
        healthy: A request sent now would be answered.
        closed: Why callers are refused at once; None = they are let in, and wait if need be.
    """

    status: Status
    reason: str = ""
    healthy: bool = False
    closed: str | None = None


def judge(facts: Facts) -> Verdict:
    """The status that these facts come to."""
    if facts.terminated:
        status = Status.TERMINATING if facts.present else Status.TERMINATED
        return Verdict(status, "", healthy=False, closed="the deployment is terminated")
    if facts.port_error:
        return Verdict(Status.UNHEALTHY, facts.port_error)
    if facts.image == "failed":
        return _failed(
            Status.IMAGE_BUILD_FAILED, f"the image could not be built: {facts.image_reason}", facts
        )
    if facts.given_up:
        return _failed(Status.FAILED, facts.given_up, facts)
    verdict = _judge_instances(facts)
    if verdict.healthy and not facts.listening:
        status = Status.DEPLOYING if verdict.status in READY_STATUSES else verdict.status
        return Verdict(status, verdict.reason or "opening its port")
    return verdict


def combine(services: Sequence[tuple[str, Verdict]]) -> Verdict:
    """The status of a version, given those of its services, the entry service first.

    It is that of the entry service, unless another one is worse off: then the reason names that one.
    """
    name, first = services[0]
    for status in GRAVE:
        if first.status is status:
            break
        worse = next((pair for pair in services[1:] if pair[1].status is status), None)
        if worse is not None:
            name, verdict = worse
            reason = verdict.reason and f"service {name}: {verdict.reason}"
            first = replace(verdict, reason=reason, closed=verdict.closed and reason)
            break
    return replace(first, healthy=all(verdict.healthy for _, verdict in services))


def with_canaries(main: Verdict, canaries: Sequence[tuple[str, Verdict]]) -> Verdict:
    """The status of a deployment: that of its main version, with a word about each canary that cannot answer.

    The main version answers in the place of such a canary, so that nothing is worse by it; one that is about
    to come makes the deployment `deploying`.
    """
    for name, canary in canaries:
        if canary.healthy or main.closed is not None:
            continue
        reason = f"canary {name} gets no requests: {canary.reason or canary.status.value}"
        coming = canary.status in (Status.DEPLOYING, Status.IMAGE_BUILDING)
        status = Status.DEPLOYING if coming and main.status in READY_STATUSES else main.status
        main = replace(main, status=status, reason=f"{main.reason}; {reason}" if main.reason else reason)
    return main


def in_development(verdict: Verdict, *, waits_for_files: bool) -> Verdict:
    """The status of a codespace. Code that fails is its everyday life: `bentoml code` waits for a change.

    Args:
        verdict: The status that it would have as a deployment.
        waits_for_files: Its files are still coming.
    """
    if waits_for_files:
        return Verdict(Status.DEPLOYING, "waiting for the files of the codespace")
    if verdict.status in FAILED_STATUSES:
        return replace(verdict, status=Status.DEPLOYING)
    return verdict


def _judge_instances(facts: Facts) -> Verdict:
    if facts.ready:
        reason = "" if facts.ready >= facts.wanted else f"{facts.ready} of {facts.wanted} instances are ready"
        return Verdict(Status.RUNNING, reason, healthy=True)
    if facts.image != "success":
        return Verdict(Status.IMAGE_BUILDING, "building the image", healthy=facts.old_ready > 0)
    if facts.old_ready:
        reason = f"revision {facts.revision} is starting; the one before answers until it is ready"
        if facts.waits_for:
            reason += f"; {_start_words(facts)}"
        return Verdict(Status.DEPLOYING, _with_failure(reason, facts), healthy=True)
    if not facts.wanted and not facts.starting:
        return Verdict(Status.SCALED_TO_ZERO, facts.last_failure if facts.failures else "", healthy=True)
    if facts.on_demand and not facts.failures:
        # Requests are held, so it is as ready as before: the client's `get_client` refuses any other word.
        return Verdict(Status.SCALED_TO_ZERO, _start_words(facts) or "an instance is starting", healthy=True)
    if facts.was_ready and facts.failures > 1:
        return Verdict(Status.UNHEALTHY, _with_failure("starting an instance again", facts))
    return Verdict(Status.DEPLOYING, _with_failure(_start_words(facts) or "starting an instance", facts))


def _start_words(facts: Facts) -> str:
    return f"an instance cannot start: {facts.waits_for}" if facts.waits_for else ""


def _failed(status: Status, reason: str, facts: Facts) -> Verdict:
    """Failed; instances of an earlier revision go on answering."""
    if facts.old_ready + facts.ready:
        reason = f"{reason}; instances that were ready before still answer"
        return Verdict(status, reason, healthy=facts.listening)
    return Verdict(status, reason, closed=reason)


def _with_failure(reason: str, facts: Facts) -> str:
    if not facts.failures:
        return reason
    return f"{reason} after {facts.failures} failed: {facts.last_failure}"
