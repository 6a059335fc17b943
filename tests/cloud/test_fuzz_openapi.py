"""The control plane against its own description: what the OpenAPI document allows, and what it does not.

`FUZZ_OPENAPI=https://.../openapi.json` (with `FUZZ_TOKEN`) asks another cloud's document instead; do so only
where deployments may come and go.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from bento_jupyter.client import embedded
from bento_jupyter.home import Home

PATIENCE = 20.0
USUALLY = 8
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", USUALLY))
#: Answers without an end, and the end of everything.
LEFT_OUT = {("GET", "/api/bj/v1/events"), ("POST", "/api/bj/v1/shutdown")}

CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address of a document, and the token for the calls in it."""
    elsewhere = os.environ.get("FUZZ_OPENAPI")
    if elsewhere:
        yield elsewhere, os.environ.get("FUZZ_TOKEN", "")
        return
    home = Home(tmp_path_factory.mktemp("openapi") / "home")
    state = embedded.start(home)
    yield f"{state.endpoint}/api/bj/v1/openapi.json", state.token
    log = (home.logs / "cloud.log").read_text()
    assert embedded.stop(home)
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]


def test_every_call_answers_as_it_is_described(described):
    url, token = described
    headers = {"X-YATAI-API-TOKEN": token}
    answer = httpx.get(url, headers=headers, trust_env=False)
    if answer.status_code == 404:
        pytest.skip("this cloud does not describe its calls")
    schema = schemathesis.openapi.from_dict(answer.raise_for_status().json())
    base = url.partition("/api/")[0]
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if (operation.method.upper(), operation.path) in LEFT_OUT:
            continue

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=EXAMPLES == USUALLY,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            case.query.pop("follow", None)
            response = case.call(base_url=base, headers=headers, timeout=PATIENCE)
            case.validate_response(response, checks=list(CHECKS))

        ask()
        asked += 1
    assert asked > 30
    assert httpx.get(f"{base}/api/v1/auth/current", headers=headers, trust_env=False).status_code == 200
