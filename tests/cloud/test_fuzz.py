"""The calls of the `bentoml` client with anything in them: never a 5xx, never a wait without end.

What is sent is made from bodies that the client sends, with some of it replaced, removed or doubled, so that
it gets past the first check; paths and queries alike. The cloud is a real one, and must still be well after.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bento_jupyter.client import embedded
from bento_jupyter.home import Home

#: Examples of each call; `make fuzz` asks for more.
USUALLY = 25
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", USUALLY))
#: Seconds within which every call is answered.
PATIENCE = 20.0

MANIFEST = {
    "service": "service:Svc", "bentoml_version": "1.4.39", "size_bytes": 100, "entry_service": "Svc",
    "services": [{"name": "Svc", "service": "s.py:Svc", "models": [], "dependencies": [], "config": {}}],
    "apis": [], "models": [], "envs": [], "schema": {"routes": []},
}  # fmt: skip
SERVICES = {
    "Svc": {
        "instance_type": "cpu.1",
        "scaling": {
            "min_replicas": 0, "max_replicas": 2,
            "policy": {
                "metrics": None, "scale_down_behavior": None, "scale_up_behavior": None,
                "scale_down_stabilization_window": 600, "scale_up_stabilization_window": 0,
            },
        },
        "envs": [{"name": "A", "value": "b"}], "deployment_strategy": "RollingUpdate", "extras": None,
        "cold_start_timeout": 120,
        "config_overrides": {"traffic": {"timeout": 30, "external_queue": True, "concurrency": 4}},
    }
}  # fmt: skip
DEPLOYMENT = {
    "bento": "fuzz:v1", "access_authorization": True, "envs": [{"name": "FOO", "value": "bar"}],
    "labels": [{"key": "team", "value": "ds"}], "secrets": [], "services": SERVICES,
    "canary": {
        "route_type": "random", "route_by": None,
        "versions": {
            "a": {"bento": "fuzz:v1", "weight": 20, "envs": None, "secrets": None, "services": SERVICES},
        },
    },
    "name": "fuzzed", "dev": False,
}  # fmt: skip
PACKAGE = {
    "version": "v2", "description": "words", "manifest": MANIFEST, "build_at": "2026-01-01 10:00:00.000000",
    "labels": [{"key": "a", "value": "b"}],
}  # fmt: skip
MODEL = {**PACKAGE, "manifest": {"module": "m", "api_version": "v1", "bentoml_version": "1", "size_bytes": 1}}
SECRET = {
    "name": "fuzzed", "description": None,
    "content": {
        "type": "env", "path": "$BENTOML_HOME/a", "stage": "runtime",
        "items": [{"key": "KEY", "value": "v", "sub_path": "s"}],
    },
}  # fmt: skip
TOKEN = {"name": "t", "description": "d", "scopes": ["api"], "expired_at": "2090-01-01 10:00:00.000000"}
FILES = {"files": [{"path": "a.py", "b64_encoded_content": "eA=="}]}
PARTS = {"parts": [{"part_number": 1, "etag": "e"}], "upload_id": "u"}

#: Calls of the contract, with a body that the client could send.
CALLS: list[tuple[str, Any]] = [
    ("GET /api/v1/auth/code", None),
    ("GET /api/v1/auth/token", None),
    ("GET /api/v1/auth/current", None),
    ("GET /api/v1/current_org", None),
    *(
        (call.replace("bento", kind), body)
        for kind, package in (("bento", PACKAGE), ("model", MODEL))
        for call, body in [
            ("GET /api/v1/bento_repositories", None),
            ("POST /api/v1/bento_repositories", {"name": "fuzz", "description": ""}),
            ("GET /api/v1/bento_repositories/{name}", None),
            ("GET /api/v1/bento_repositories/{name}/bentos", None),
            ("POST /api/v1/bento_repositories/{name}/bentos", package),
            ("GET /api/v1/bento_repositories/{name}/bentos/{version}", None),
            ("PATCH /api/v1/bento_repositories/{name}/bentos/{version}", package),
            ("PATCH /api/v1/bento_repositories/{name}/bentos/{version}/presign_upload_url", {}),
            ("PATCH /api/v1/bento_repositories/{name}/bentos/{version}/presign_download_url", {}),
            ("PATCH /api/v1/bento_repositories/{name}/bentos/{version}/start_upload", {}),
            ("PATCH /api/v1/bento_repositories/{name}/bentos/{version}/start_multipart_upload", {}),
            (
                "PATCH /api/v1/bento_repositories/{name}/bentos/{version}/presign_multipart_upload_url",
                {"upload_id": "u", "part_number": 1},
            ),
            ("PATCH /api/v1/bento_repositories/{name}/bentos/{version}/complete_multipart_upload", PARTS),
            (
                "PATCH /api/v1/bento_repositories/{name}/bentos/{version}/finish_upload",
                {"status": "success", "reason": ""},
            ),
            ("PUT /api/v1/bento_repositories/{name}/bentos/{version}/upload", {"any": "thing"}),
            ("GET /api/v1/bento_repositories/{name}/bentos/{version}/download", None),
            ("GET /api/v1/bentos", None),
        ]
    ),
    ("GET /api/v2/deployments", None),
    ("POST /api/v2/deployments", DEPLOYMENT),
    ("GET /api/v2/deployments/{name}", None),
    ("PUT /api/v2/deployments/{name}", DEPLOYMENT),
    ("PUT /api/v2/deployments/{name}/void_update", {}),
    ("POST /api/v2/deployments/{name}/terminate", {}),
    ("GET /api/v2/deployments/{name}/files", None),
    ("POST /api/v2/deployments/{name}/files", FILES),
    ("DELETE /api/v2/deployments/{name}/files", {"paths": ["a.py"]}),
    ("DELETE /api/v2/deployments/{name}", None),
    ("GET /api/v1/instance_types", None),
    ("GET /api/v1/org_secrets", None),
    ("POST /api/v1/org_secrets", SECRET),
    ("GET /api/v1/org_secrets/{name}", None),
    ("PATCH /api/v1/org_secrets/{name}", SECRET),
    ("DELETE /api/v1/org_secrets/{name}", None),
    ("GET /api/v1/api_tokens", None),
    ("POST /api/v1/api_tokens", TOKEN),
    ("GET /api/v1/api_tokens/{name}", None),
    ("DELETE /api/v1/api_tokens/{name}", None),
    *((f"GET /api/bj/v1/{what}", None) for what in ("cloud", "deployments", "images", "bentos", "models")),
    *(
        (f"GET /api/bj/v1/deployments/{{name}}{what}", None)
        for what in ("", "/instances", "/logs", "/metrics", "/events", "/revisions")
    ),
    ("POST /api/bj/v1/deployments/{name}/rollback", {"revision": 1}),
    ("POST /api/bj/v1/deployments/{name}/start", {}),
    ("POST /api/bj/v1/deployments/{name}/restart", {}),
    ("GET /api/bj/v1/images/{name}/log", None),
    ("GET /api/bj/v1/garbage", None),
    *(
        call
        for kind in ("bento", "model")
        for call in [
            (f"DELETE /api/bj/v1/{kind}s/{{name}}/{{version}}", None),
            (f"PUT /api/bj/v1/{kind}s/{{name}}/{{version}}/content", {"path": "/nowhere"}),
            (f"PUT /transfer/{kind}s/{{name}}/{{version}}", {}),
            (f"GET /transfer/{kind}s/{{name}}/{{version}}", None),
        ]
    ),
]

TEXT = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "fuzz", "v1", "fuzzed", "latest", "..", "../x", "a/b", "%", "%2e%2e", "\0", "\n", "é", "\ud800"]
    ),
    st.sampled_from(["0001-01-01 00:00:00.000000", "9999-12-31T23:59:59.999999+00:00", "2026-02-30"]),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1e999", "NaN", "-1"]),
    st.sampled_from(["x" * 5000, "/" + "x" * 5000, "/tmp", "/dev/null", "/tmp/\0"]),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([0, -1, 1, 2**31, 2**63 - 1, 2**63, 10**400, 1e308, 0.5])
)
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
QUERY = st.dictionaries(
    st.one_of(
        st.sampled_from(["cluster", "count", "start", "q", "search", "all", "code", "x"]),
        st.sampled_from(["lines", "source", "regex", "since", "step", "after", "before", "revision"]),
        st.sampled_from(["upload", "part", "expires", "signature"]),
    ),
    st.one_of(
        TEXT,
        NUMBERS.map(str),
        st.sampled_from(
            ["is:dev", "label:a=b", "label:", "is:", ":", "default", "true", "image", "(a+)+$", "("]
        ),
    ),
    max_size=4,
)


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """`value`, with something else in some of its places."""
    if draw(st.integers(0, 11)) == 0:
        return draw(JUNK)
    if isinstance(value, dict):
        kept = {key: draw(mutated(each)) for key, each in value.items() if draw(st.integers(0, 19))}
        return {
            **kept,
            **(draw(st.dictionaries(TEXT, JUNK, max_size=1)) if draw(st.integers(0, 9)) == 0 else {}),
        }
    if isinstance(value, list):
        return [draw(mutated(each)) for each in value for _ in range(draw(st.sampled_from([1, 1, 1, 0, 2])))]
    if draw(st.integers(0, 7)) == 0:
        return draw(TEXT if isinstance(value, str) else NUMBERS)
    return value


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a cloud of this module's own, which has the Bento `fuzz:v1` and the deployment `fuzzed`."""
    home = Home(tmp_path_factory.mktemp("fuzz") / "home")
    state = embedded.start(home)
    headers = {"X-YATAI-API-TOKEN": state.token}
    with httpx.Client(base_url=state.endpoint, headers=headers, timeout=PATIENCE, trust_env=False) as client:
        versions = "/api/v1/bento_repositories/fuzz/bentos"
        client.post("/api/v1/bento_repositories", json={"name": "fuzz", "description": ""}).raise_for_status()
        client.post(versions, json={**PACKAGE, "version": "v1"}).raise_for_status()
        client.put(f"{versions}/v1/upload", content=archive()).raise_for_status()
        plain = {**DEPLOYMENT, "canary": None}
        client.post("/api/v2/deployments", json=plain).raise_for_status()
        yield client
        assert client.get("/api/v1/auth/current").status_code == 200
        log = (home.logs / "cloud.log").read_text()
    assert embedded.stop(home)
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]


def archive() -> bytes:
    """A Bento that no environment is built for: it needs a container."""
    text = json.dumps({**MANIFEST, "name": "fuzz", "version": "v1", "spec": 1}).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("./bento.yaml")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return buffer.getvalue()


def check(answer: httpx.Response) -> None:
    """No defect, and what is refused is refused in the form of the API, shortly."""
    assert answer.status_code < 500, (answer.request.method, str(answer.request.url), answer.text)
    if answer.headers.get("content-type") == "application/json":
        assert json.loads(answer.content) is not None
    elif answer.request.url.path.startswith("/api/"):
        assert answer.status_code in (200, 400), answer.text  # a download; no HTTP at all
    assert answer.status_code < 400 or len(answer.content) < 20_000


#: The same examples every time, so that what fails here fails for everybody; `make fuzz` looks further.
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == USUALLY,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize(("call", "body"), CALLS, ids=[call for call, _ in CALLS])
def test_no_call_of_the_contract_is_answered_with_5xx(http, call, body):
    method, template = call.split(" ")
    names = st.one_of(st.sampled_from(["fuzz", "fuzzed", "v1"]), TEXT.filter(bool))

    @FUZZ
    @given(
        name=names,
        version=st.one_of(st.just("v1"), names),
        content=st.none() if body is None else mutated(body),
        query=st.one_of(st.just({}), QUERY),
    )
    def ask(name: str, version: str, content: Any, query: dict[str, str]) -> None:
        path = template.format(name=quoted(name), version=quoted(version))
        sent = None if body is None else json.dumps(content).encode("utf-8", "surrogatepass")
        asked = "&".join(f"{key}={quoted(value)}" for key, value in query.items())
        check(http.request(method, f"{path}?{asked}", content=sent))

    ask()


@FUZZ
@given(
    content=st.one_of(
        st.binary(max_size=200), st.binary(max_size=50).map(lambda tail: archive()[:600] + tail)
    ),
    kind=st.sampled_from(["bento", "model"]),
)
def test_what_is_no_archive_is_refused(http, content, kind):
    version = f"/api/v1/{kind}_repositories/fuzz/{kind}s/v9"
    http.post(f"/api/v1/{kind}_repositories", json={"name": "fuzz"})
    http.post(version.rpartition("/")[0], json={**(PACKAGE if kind == "bento" else MODEL), "version": "v9"})
    answer = http.put(f"{version}/upload", content=content)
    check(answer)
    assert http.get(version).json()["upload_status"] != "success" or answer.status_code == 200


@FUZZ
@given(
    headers=st.dictionaries(
        st.sampled_from(["Authorization", "X-YATAI-API-TOKEN", "Content-Type", "Cookie", "Range", "Accept"]),
        st.binary(max_size=40).map(lambda raw: bytes(b for b in raw if b >= 32 and b != 127).strip()),
        max_size=3,
    ),
    path=st.sampled_from(["/api/v2/deployments", "/api/bj/v1/cloud", "/deployments", "/login", "/api/x"]),
)
def test_no_header_is_answered_with_5xx(http, headers, path):
    check(http.get(path, headers=headers))


@FUZZ
@given(method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"]), path=TEXT)
def test_no_path_is_answered_with_5xx(http, method, path):
    below = f"/api/bj/v1/deployments/{quoted(path)}"
    for each in (f"/{quoted(path)}", below, f"{below}/logs?lines={quoted(path[:20])}"):
        check(http.request(method, each))


@pytest.mark.parametrize(
    "path", ["/" + "x" * 5000, "/x" * 3000, "/tmp/\0", "/dev/null", "/tmp/../tmp", "tmp", ""]
)
def test_what_is_no_folder_is_not_taken_for_one(http, path):
    content = "/api/bj/v1/bentos/fuzz/v1/content"
    answer = http.put(content, json={"path": path})
    assert answer.status_code == 400
    assert len(answer.text) < 1000


def quoted(text: str) -> str:
    # A client would leave `..` out, with what is before it: `/deployments/../events` never ends.
    return quote(text.encode("utf-8", "surrogatepass"), safe="").replace(".", "%2E")
