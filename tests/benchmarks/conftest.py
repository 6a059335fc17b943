"""Figures go to build/bench.json: `{name: {value, unit, reference, ratio}}`, ratio = ours / reference."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
Record = Callable[..., None]


@pytest.fixture(scope="session")
def record() -> Record:
    """Write one figure (and say it); lower is better for all of them."""
    path = ROOT / "build" / "bench.json"
    path.parent.mkdir(exist_ok=True)

    def write(name: str, value: float, reference: float, unit: str = "s") -> None:
        figures = json.loads(path.read_text()) if path.exists() else {}
        ratio = value / reference
        figures[name] = {
            "value": round(value, 4),
            "unit": unit,
            "reference": round(reference, 4),
            "ratio": round(ratio, 4),
        }
        path.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")
        print(f"\n{name}: {value:.4g} {unit}, reference {reference:.4g} {unit}, ratio {ratio:.3f}")

    return write
