"""Does a deployment answer as the object in the notebook did?

    URL=http://... pytest test_parity.py
    python test_parity.py http://...

Sends `proof/sample.json` to each endpoint and compares the answer with `proof/expected.json`. A protected
deployment's token is read from `BENTO_TOKEN`. Standard library only.
"""

import json
import math
import os
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TOLERANCE = 1e-9


def load(name: str) -> Any:
    """One of the JSON files of this folder."""
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def ask(url: str, endpoint: str, body: Any) -> Any:
    """What the deployment answers."""
    headers = {"Content-Type": "application/json"}
    if os.environ.get("BENTO_TOKEN"):
        headers["Authorization"] = "Bearer " + os.environ["BENTO_TOKEN"]
    address = url.rstrip("/") + "/" + endpoint
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)  # noqa: S310 - the user's own URL
    with urllib.request.urlopen(request, timeout=300) as response:  # noqa: S310
        return json.load(response)


def differences(expected: Any, served: Any, where: str = "answer") -> Iterator[str]:
    """The places where two answers differ."""
    if isinstance(expected, list) and isinstance(served, list):
        if len(expected) != len(served):
            yield f"{where}: {len(expected)} items expected, {len(served)} served"
        for i, (a, b) in enumerate(zip(expected, served, strict=False)):
            yield from differences(a, b, f"{where}[{i}]")
    elif isinstance(expected, dict) and isinstance(served, dict):
        for key in sorted({*expected, *served}):
            yield from differences(expected.get(key), served.get(key), f"{where}[{key!r}]")
    elif type(expected) is float and type(served) is float:
        if not math.isclose(expected, served, rel_tol=TOLERANCE):
            yield f"{where}: {expected!r} expected, {served!r} served"
    elif type(expected) is not type(served) or expected != served:
        yield f"{where}: {expected!r} expected, {served!r} served"


def check(url: str) -> list[str]:
    """Ask each endpoint; the names of those that answered right.

    Raises:
        AssertionError: Naming endpoint and place where an answer differs.
    """
    body, expected = load("proof/sample.json"), load("proof/expected.json")
    for endpoint in expected:
        found = next(differences(expected[endpoint], ask(url, endpoint, body)), None)
        assert found is None, f"/{endpoint} {found}"
    return list(expected)


def test_parity() -> None:
    """The deployment at $URL answers as the notebook did."""
    check(os.environ["URL"])


if __name__ == "__main__":
    names = check(sys.argv[1] if len(sys.argv) > 1 else os.environ["URL"])
    sys.stdout.write(f"as in the notebook: {', '.join(names)}\n")
