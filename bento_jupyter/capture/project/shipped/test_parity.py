"""Does a deployment answer as the objects in the notebook did?

    URL=http://... pytest test_parity.py
    python test_parity.py http://...

Sends the inputs of each case of `proof/cases.json` as JSON and compares the answer with what the notebook
answered: numbers bit by bit, or within TOLERANCE where they are floating-point ones; everything else exactly.
Each case is sent twice, since an object must not remember what it was asked. What the notebook refused, the
deployment has to refuse, too: with a status of 400 to 499. A protected deployment's token is read from
BENTO_TOKEN. Standard library only.
"""

import functools
import json
import math
import os
import sys
import urllib.error
import urllib.request
import uuid
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
#: Relative difference up to which floating-point numbers count as equal; more for types with fewer digits.
TOLERANCE = 1e-9
TOLERANCES = {"float16": 2e-3, "float32": 1e-6, "complex64": 1e-6}
#: The same, relative to the largest number of the same array or column: what sums in another order leave.
NOISE = {TOLERANCE: 2e-15, 1e-6: 1e-6, 2e-3: 8e-3}
#: Seconds for one answer: an instance may have to start first.
TIMEOUT = 660
#: Refusals that say nothing of the values sent.
OTHER_REFUSALS = {401, 403, 404, 405, 408, 413, 429}


def load(name: str) -> Any:
    """One of the JSON files of this folder."""
    return json.loads((HERE / name).read_text(encoding="utf-8"))


CASES = load("proof/cases.json")["cases"]
TYPES = load("endpoints.json")["endpoints"]


def title(case: dict[str, Any]) -> str:
    """Endpoint and title of a case."""
    return f"/{case['endpoint']}, {case['title']}"


def request(
    url: str, path: str, body: bytes | None = None, kind: str = "application/json"
) -> tuple[int, bytes, str]:
    """Status, body and content type of the answer to a GET, or to a POST of `body`."""
    headers = {"Content-Type": kind} if body is not None else {}
    if os.environ.get("BENTO_TOKEN"):
        headers["Authorization"] = "Bearer " + os.environ["BENTO_TOKEN"]
    address = url.rstrip("/") + "/" + path.lstrip("/")
    message = urllib.request.Request(address, body, headers)  # noqa: S310 - the user's own URL
    try:
        with urllib.request.urlopen(message, timeout=TIMEOUT) as response:  # noqa: S310
            return response.status, response.read(), response.headers.get_content_type()
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers.get_content_type()


@functools.cache
def routes(url: str) -> dict[str, Any]:
    """The deployment's endpoints, as it describes them itself."""
    status, body, _kind = request(url, "schema.json")
    assert status == 200, f"{url}/schema.json answered {status}: {body[:300]!r}"
    return {route["name"]: route for route in json.loads(body)["routes"]}


def is_file(schema: dict[str, Any]) -> bool:
    """Is a parameter sent as a file, or as several? Others are JSON."""
    return schema.get("type") == "file" or schema.get("items", {}).get("type") == "file"


def sent(route: dict[str, Any], inputs: dict[str, Any]) -> tuple[bytes, str]:
    """Body and content type of a request."""
    schema = route.get("input", {})
    fields = schema.get("properties", {})
    if schema.get("root_input"):
        return json.dumps(next(iter(inputs.values()))).encode(), "application/json"
    if not any(is_file(field) for field in fields.values()):
        return json.dumps(inputs).encode(), "application/json"
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in inputs.items():
        if is_file(fields.get(name, {})):
            for item in value if isinstance(value, list) else [value]:
                file = item if isinstance(item, dict) else {"name": name, "content": item}
                head = f'Content-Disposition: form-data; name="{name}"; filename="{file["name"]}"'
                parts.append(
                    (head + "\r\nContent-Type: application/octet-stream", b64decode(file["content"]))
                )
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            parts.append((f'Content-Disposition: form-data; name="{name}"', text.encode()))
    body = b"".join(f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n" for head, data in parts)
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def ask(url: str, case: dict[str, Any]) -> tuple[int, Any]:
    """Status and answer, in the form that `expected` has."""
    route = routes(url).get(case["endpoint"])
    assert route is not None, f"{title(case)}: the deployment has no such endpoint"
    status, body, kind = request(url, route["route"], *sent(route, case["inputs"]))
    types = TYPES[case["endpoint"]]
    if status != 200:
        return status, body.decode(errors="replace")
    if types.get("stream") == "lines":
        return status, json_values(body.decode())
    if types.get("stream") == "bytes" or (types.get("output") or {}).get("kind") in ("bytes", "image"):
        return status, b64encode(body).decode()
    if isinstance(case.get("expected"), dict) and (types.get("output") or {}).get("kind") == "file":
        return status, {"name": case["expected"]["name"], "content": b64encode(body).decode()}
    return status, json.loads(body) if kind == "application/json" else body.decode(errors="replace")


def json_values(text: str) -> list[Any]:
    """The JSON values of a stream, one after the other."""
    values, rest = [], text.strip()
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        values.append(value)
        rest = rest[end:].strip()
    return values


def tolerance_of(descriptor: Any) -> float:
    """The largest tolerance of the types in a descriptor."""
    if isinstance(descriptor, dict):
        inner = [tolerance_of(value) for value in descriptor.values()]
        return max([TOLERANCES.get(str(descriptor.get("dtype")).lower(), TOLERANCE), *inner])
    if isinstance(descriptor, list):
        return max((tolerance_of(value) for value in descriptor), default=TOLERANCE)
    return TOLERANCE


def size_of(value: Any) -> float:
    """The largest finite number in nested lists; 0 when there is none."""
    if isinstance(value, list):
        return max((size_of(item) for item in value), default=0.0)
    return abs(value) if type(value) is float and math.isfinite(value) else 0.0


def differences(
    expected: Any, served: Any, tolerance: float, where: str = "answer", size: float = 0.0
) -> Iterator[str]:
    """The places where two answers differ; `size` is that of the array or column they are in."""
    if isinstance(expected, list) and isinstance(served, list):
        if len(expected) != len(served):
            yield f"{where}: {len(expected)} items expected, {len(served)} served"
        rows = [row for row in expected if isinstance(row, dict)]
        size = size or size_of(expected)
        columns = {key: size_of([row.get(key) for row in rows]) for key in (rows[0] if rows else ())}
        for i, (a, b) in enumerate(zip(expected, served)):  # noqa: B905 - the lengths were compared
            if isinstance(a, dict) and isinstance(b, dict):
                yield from in_objects(a, b, tolerance, f"{where}[{i}]", columns)
            else:
                yield from differences(a, b, tolerance, f"{where}[{i}]", size)
    elif isinstance(expected, dict) and isinstance(served, dict):
        yield from in_objects(expected, served, tolerance, where, {})
    elif type(expected) is float and type(served) is float:
        if not math.isclose(expected, served, rel_tol=tolerance, abs_tol=NOISE[tolerance] * size):
            yield f"{where}: {expected!r} expected, {served!r} served"
    elif type(expected) is not type(served) or expected != served:
        yield f"{where}: {expected!r} expected, {served!r} served"


def in_objects(
    expected: dict[str, Any], served: dict[str, Any], tolerance: float, where: str, sizes: dict[str, float]
) -> Iterator[str]:
    """The places where two JSON objects differ."""
    for key in [*expected, *(key for key in served if key not in expected)]:
        place = f"{where}[{key!r}]"
        if key not in served:
            yield f"{place}: expected, not served"
        elif key not in expected:
            yield f"{place}: served, not expected"
        else:
            yield from differences(expected[key], served[key], tolerance, place, sizes.get(key, 0.0))


def check(url: str, case: dict[str, Any]) -> None:
    """Send one case, twice.

    Raises:
        AssertionError: Naming the case and the place where an answer differs.
    """
    tolerance = tolerance_of(TYPES[case["endpoint"]].get("output"))
    for time in ("", "the second time, "):
        status, answer = ask(url, case)
        what = f"{title(case)}: {time}"
        if case.get("refused"):
            assert status != 200, (
                f"{what}the notebook raised {case['refused']}, {str(answer)[:300]} was served"
            )
            refused = 400 <= status < 500 and status not in OTHER_REFUSALS
            assert refused, f"{what}the notebook raised {case['refused']}, the service failed with {status}"
            continue
        assert status == 200, f"{what}the notebook answered, the service said {status}: {str(answer)[:300]}"
        found = next(differences(case["expected"], answer, tolerance), None)
        assert found is None, f"{what}{found}"


def pytest_generate_tests(metafunc: Any) -> None:
    """One test per case."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES, ids=[title(case) for case in CASES])


def test_parity(case: dict[str, Any]) -> None:
    """The deployment at $URL answers as the notebook did."""
    check(os.environ["URL"], case)


def main() -> int:
    """Check all cases at the URL given; 1 when one differs."""
    url = sys.argv[1] if len(sys.argv) > 1 else os.environ["URL"]
    wrong = 0
    for case in CASES:
        try:
            check(url, case)
        except AssertionError as error:
            wrong += 1
            sys.stderr.write(f"different: {error}\n")
    names = ", ".join(dict.fromkeys(case["endpoint"] for case in CASES))
    sys.stdout.write(f"{len(CASES) - wrong} of {len(CASES)} cases as in the notebook: {names}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
