"""How long requests took: histograms that can be added up, small enough to be sent with every report.

Bounds grow by a fixed factor, so a quantile is right to within a tenth wherever it lies, and histograms of
other seconds, instances and processes are merged by adding their counts.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping

__all__ = ["QUANTILES", "Histogram"]

#: Upper bound of the first bucket, in seconds; faster ones are in it too.
SMALLEST = 0.0001
#: Buckets per doubling: bounds grow by 2 ** (1/4), about 19 %.
PER_DOUBLING = 4
#: The last bucket holds everything above 9 hours.
LAST = 112
#: Upper bounds of the buckets but the last.
_BOUNDS = [SMALLEST * 2 ** (bucket / PER_DOUBLING) for bucket in range(LAST)]
#: The quantiles that are shown.
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class Histogram:
    """Counts of durations.

    Args:
        counts: Number of durations by bucket.

    Attributes:
        counts: As given.

    Example:
        >>> histogram = Histogram()
        >>> for milliseconds in range(1, 101):
        ...     histogram.add(milliseconds / 1000)
        >>> 0.045 < histogram.quantile(0.5) < 0.055
        True
    """

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: Counter[int] = Counter(counts or {})

    def add(self, seconds: float) -> None:
        """Count a duration."""
        self.counts[bisect_left(_BOUNDS, seconds)] += 1

    def merge(self, counts: Mapping[int, int]) -> None:
        """Add the counts of another histogram."""
        for bucket, count in counts.items():
            self.counts[bucket] += count

    @property
    def count(self) -> int:
        """How many were counted."""
        return sum(self.counts.values())

    @property
    def sum(self) -> float:
        """Seconds of all together, right to within a tenth: each counts as the middle of its bucket."""
        half = 2 ** (-0.5 / PER_DOUBLING)
        return sum(
            count * SMALLEST * 2 ** (bucket / PER_DOUBLING) * half for bucket, count in self.counts.items()
        )

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """Bounds in seconds, each the double of the one before, and how many were not above it."""
        bounds = range(0, LAST, PER_DOUBLING)
        within = [0] * len(bounds)
        for bucket, count in self.counts.items():
            place = math.ceil(bucket / PER_DOUBLING)
            if place < len(within):
                within[place] += count
        for bound, total in zip(bounds, itertools.accumulate(within), strict=True):
            yield SMALLEST * 2 ** (bound / PER_DOUBLING), total

    def take(self) -> dict[int, int]:
        """The counts since the last time; begins anew."""
        taken, self.counts = dict(self.counts), Counter()
        return taken

    def quantile(self, share: float) -> float | None:
        """Seconds within which this share of all was done; None when there are none."""
        total = sum(self.counts.values())
        wanted = share * total
        seen = 0
        for bucket in sorted(self.counts):
            count = self.counts[bucket]
            if count and seen + count >= wanted:
                upper = SMALLEST * 2 ** (bucket / PER_DOUBLING)
                lower = upper / 2 ** (1 / PER_DOUBLING) if bucket else 0.0
                return lower + (upper - lower) * (wanted - seen) / count
            seen += count
        return None

    def quantiles(self) -> dict[str, float]:
        """The quantiles that are shown, in seconds; empty when there is nothing to show."""
        found = {name: self.quantile(share) for name, share in QUANTILES.items()}
        return {name: round(seconds, 6) for name, seconds in found.items() if seconds is not None}
