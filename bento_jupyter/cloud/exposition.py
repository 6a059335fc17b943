"""Metrics as Prometheus reads them: the text exposition format, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .latency import Histogram

__all__ = ["CONTENT_TYPE", "Family", "expose"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class Family:
    """The samples of one metric.

    Args:
        name: Its name; counters end in `_total`.
        kind: What it is.
        text: What it says, in words.

    Example:
        >>> requests = Family("requests_total", "counter", "Requests answered.")
        >>> requests.add(3, deployment="iris")
        >>> print(expose([requests]), end="")
        # HELP requests_total Requests answered.
        # TYPE requests_total counter
        requests_total{deployment="iris"} 3
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    lines: list[str] = field(default_factory=list, init=False)

    def add(self, value: float, **labels: str) -> None:
        """A sample."""
        self._add(self.name, value, labels)

    def add_histogram(self, histogram: Histogram, **labels: str) -> None:
        """A histogram: its buckets, the sum and the number of what it counted."""
        for bound, count in histogram.cumulative():
            self._add(f"{self.name}_bucket", count, {**labels, "le": f"{bound:.6g}"})
        self._add(f"{self.name}_bucket", histogram.count, {**labels, "le": "+Inf"})
        self._add(f"{self.name}_sum", round(histogram.sum, 6), labels)
        self._add(f"{self.name}_count", histogram.count, labels)

    def _add(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        marked = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        self.lines.append(f"{name}{{{marked}}} {value}" if marked else f"{name} {value}")


def expose(families: Iterable[Family]) -> str:
    """The text of these metrics; those without samples are left out."""
    lines: list[str] = []
    for each in families:
        if each.lines:
            lines += [f"# HELP {each.name} {each.text}", f"# TYPE {each.name} {each.kind}", *each.lines]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
