"""The cases of a proof: read from a Bento, sent to it, and its answers compared with the notebook's."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bento_jupyter.codec import CodecError, Descriptor, decode, decode_answer
from bento_jupyter.errors import ProofError

from .compare import Difference, compare
from .exchange import JSON, Exchange, Outcome, encoded_rows

__all__ = ["CaseDifference", "EndpointProof", "Pairs", "last_traceback", "read_pairs", "send_all"]

Say = Callable[[str], None]
Log = Callable[[], str]


@dataclass(frozen=True)
class CaseDifference:
    """What one case of the proof was answered with instead of what the notebook answered.

    Attributes:
        case: Title of the case, e.g. "one row".
        way: How it was sent: JSON, Arrow or task.
        difference: What differs.
        log: The traceback that the service wrote, when it failed.
    """

    case: str
    way: str
    difference: Difference
    log: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.case}{'' if self.way == JSON else f' by {self.way}'}: {self.difference.detail}"


@dataclass(frozen=True)
class EndpointProof:
    """How one endpoint did.

    Attributes:
        name: Its name.
        cases: Cases sent, each several times.
        rows: Rows in the largest of them; 0 when it takes no tables.
        max_difference: Largest absolute difference between expected and served numbers.
        details: What differs, case by case; empty when all is the same.
    """

    name: str
    cases: int
    rows: int
    max_difference: float
    details: list[CaseDifference] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """True when every answer is the same."""
        return not self.details

    @property
    def detail(self) -> str:
        """The first difference; "" when there is none."""
        return str(self.details[0]) if self.details else ""


@dataclass(frozen=True)
class Pairs:
    """What a Bento carries to be proven with.

    Attributes:
        types: What goes in and out of each endpoint.
        cases: Inputs and expected answers as they go over the wire.
    """

    types: dict[str, Any]
    cases: list[dict[str, Any]]

    def of(self, name: str) -> list[dict[str, Any]]:
        """The cases of one endpoint."""
        return [case for case in self.cases if case["endpoint"] == name]


def read_pairs(bento: Path) -> Pairs:
    """The cases that a Bento carries.

    Raises:
        ProofError: It carries none: it was built elsewhere.
    """
    source = bento / "src"
    try:
        cases = json.loads((source / "proof" / "cases.json").read_text(encoding="utf-8"))
        types = json.loads((source / "endpoints.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ProofError(
            f"the Bento {bento.parent.name}:{bento.name} has no sample to be proven with",
            hint="build it from objects of the notebook: %bento_build NAME OBJECT --sample EXPR",
        ) from error
    return Pairs(types["endpoints"], cases["cases"])


def expected_of(case: Mapping[str, Any], types: Mapping[str, Any]) -> Any:
    """What the notebook answered to a case, as a value."""
    descriptor: Descriptor = types.get("output") or {"kind": "json"}
    if types.get("stream") == "text":
        return case["expected"]
    if types.get("stream"):
        if types["stream"] == "bytes":
            return decode(case["expected"], {"kind": "bytes"})
        return [decode_answer(part, descriptor) for part in case["expected"]]
    return decode_answer(case["expected"], descriptor)


# ------------------------------------------------------------------------------------ asking


def send_all(exchange: Exchange, pairs: Pairs, say: Say, log: Log) -> list[EndpointProof]:
    """Send all cases; how each endpoint did.

    Args:
        exchange: The running Bento.
        pairs: Its cases.
        say: Called with one line per endpoint.
        log: Gives what the service wrote last.
    """
    results = []
    for name, types in pairs.types.items():
        cases = pairs.of(name)
        if not cases:
            continue
        result = send_cases(exchange, name, types, cases, log)
        results.append(result)
        size, noun = (result.rows, "row") if result.rows else (result.cases, "case")
        said = "the same" if result.equal else result.detail
        say(f"{name}: {size} {noun}{'s' * (size != 1)}, {said}")
    return results


def send_cases(
    exchange: Exchange, name: str, types: Mapping[str, Any], cases: list[dict[str, Any]], log: Log
) -> EndpointProof:
    """Send the cases of one endpoint, in all ways, again and again."""
    takes = types.get("inputs") or {}
    sizes = [encoded_rows(value, takes.get(key)) for case in cases for key, value in case["inputs"].items()]
    rows = max(sizes, default=0)
    promise = broken_promise(exchange, name, types)
    if promise:
        return EndpointProof(name, len(cases), rows, math.inf, [promise])
    largest = 0.0
    details: list[CaseDifference] = []
    for case, way, again in occasions(cases, exchange.ways(name)):
        if again and any(detail.case == case["title"] for detail in details):
            continue  # it has been said the first time
        outcome = asked(exchange, case, way)
        found = judged(case, types, outcome, log)
        largest = max(largest, found.max_difference)
        if not found.equal:
            words = f"answers otherwise {again}: {found.detail}" if again else found.detail
            difference = Difference(False, found.max_difference, words)
            wrote = last_traceback(log()) if outcome.failed else ""
            details.append(CaseDifference(case["title"], way, difference, wrote))
    return EndpointProof(name, len(cases), rows, largest, details)


def occasions(cases: list[dict[str, Any]], ways: list[str]) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Each case in each way, and again, and when that is: an object must not remember what it was asked."""
    for case in cases:
        for way in ways:
            if way == JSON:
                yield case, way, ""
                yield case, way, "the second time"
            elif not case.get("refused"):  # what was refused need not fit the types that other ways go by
                yield case, way, ""
    yield cases[0], JSON, "at the end"


def asked(exchange: Exchange, case: Mapping[str, Any], way: str) -> Outcome:
    """What becomes of a case that is sent once."""
    import httpx

    try:
        return exchange.ask(case["endpoint"], case["inputs"], way)
    except httpx.TransportError as error:
        return Outcome(0, said=f"the answer broke off: {error}")


def judged(case: Mapping[str, Any], types: Mapping[str, Any], outcome: Outcome, log: Log) -> Difference:
    """How what came differs from what the notebook did."""
    refusal = str(case.get("refused") or "")
    if refusal:
        if outcome.refused:
            return Difference(True)
        served = f"{outcome.value!r:.200} was served" if outcome.answered else failure(outcome, log)
        return Difference(False, math.inf, f"the notebook raised {refusal}, {served}")
    if not outcome.answered:
        return Difference(False, math.inf, f"the notebook answered, {failure(outcome, log)}")
    try:
        return compare(expected_of(case, types), outcome.value)
    except CodecError as error:
        return Difference(False, math.inf, f"the expected answer is not what the types promise: {error}")


def failure(outcome: Outcome, log: Log) -> str:
    """What a service did instead of answering, with what it wrote in its log about it."""
    if outcome.status == 200:
        return outcome.said
    if outcome.refused:
        return f"the service refused it with {outcome.status}: {outcome.said}"
    reason = next(iter(last_traceback(log()).splitlines()[-1:]), "") or outcome.said
    return f"the service failed with {outcome.status or 'no answer'}: {reason}"


def broken_promise(exchange: Exchange, name: str, types: Mapping[str, Any]) -> CaseDifference | None:
    """Where the service that runs publishes other types than the Bento has."""
    if name not in exchange.routes:
        return CaseDifference("its schema", JSON, Difference(False, math.inf, "there is no such endpoint"))
    inputs, output = exchange.promised(name)
    pairs = [
        (f"input {key!r}", wanted, inputs.get(key)) for key, wanted in (types.get("inputs") or {}).items()
    ]
    if not types.get("stream"):
        pairs.append(("answer", types.get("output"), output))
    for what, wanted, published in pairs:
        if wanted is None or (published is not None and published["kind"] in ("json", "records")):
            continue  # one of the two says nothing
        difference = compare(wanted, published)
        if not difference.equal:
            words = Difference(False, math.inf, f"{what}, {difference.detail}")
            return CaseDifference("its schema", JSON, words)
    return None


def last_traceback(log: str) -> str:
    """The last traceback of a log, "" when it has none."""
    begin = log.rfind("Traceback (most recent call last)")
    if begin < 0:
        return ""
    lines: list[str] = []
    for line in log[begin:].splitlines():
        lines.append(line)
        if len(lines) > 1 and line and not line[0].isspace():
            break
    return "\n".join(lines)
