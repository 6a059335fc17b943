"""`/metrics`: what Prometheus gets, read by Prometheus' own parser."""

from __future__ import annotations

import math

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from bento_jupyter.cloud.exposition import Family, expose
from bento_jupyter.cloud.latency import Histogram


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """All samples, by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@given(st.lists(st.floats(1e-6, 3600), max_size=50))
def test_a_histogram_says_how_many_took_how_long(durations: list[float]) -> None:
    histogram = Histogram()
    for seconds in durations:
        histogram.add(seconds)
    family = Family("took_seconds", "histogram", "How long.")
    family.add_histogram(histogram, who="me")
    [parsed] = text_string_to_metric_families(expose([family]))
    assert parsed.type == "histogram"
    buckets = {
        float(sample.labels["le"]): sample.value
        for sample in parsed.samples
        if sample.name.endswith("_bucket")
    }
    counts = [buckets[bound] for bound in sorted(buckets)]
    assert counts == sorted(counts)
    assert max(buckets) == math.inf
    for bound, count in buckets.items():
        # Bounds are written with six digits.
        assert sum(each <= bound * 0.9999 for each in durations) <= count
        assert count <= sum(each <= bound * 1.0001 for each in durations)
    by_name = {sample.name: sample.value for sample in parsed.samples}
    assert by_name["took_seconds_count"] == len(durations)
    slow = [each for each in durations if each > 0.0001]
    assert by_name["took_seconds_sum"] == pytest.approx(
        sum(slow), rel=0.1, abs=0.0001 * len(durations) + 1e-6
    )


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x85\u2028\u2029")))
def test_labels_are_kept_whatever_is_in_them(text: str) -> None:
    family = Family("named", "gauge", "A name.")
    family.add(1, name=text)
    written = expose([family])
    assert written.count("\n") == 3
    if "\\" not in text:  # the parser of prometheus_client reads `\\n` as a new line
        [parsed] = text_string_to_metric_families(written)
        assert parsed.samples[0].labels == {"name": text}


def test_it_asks_for_a_token(cloud) -> None:
    assert httpx.get(f"{cloud.endpoint}/metrics", trust_env=False).status_code == 401


def test_requests_instances_and_cold_starts_are_counted(
    cloud, pushed_greeter, deployment_name, wait_for
) -> None:
    body = {"name": deployment_name, "bento": pushed_greeter}
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    view = cloud.wait_until(deployment_name, "running")
    whose = ("deployment", deployment_name)
    with httpx.Client(base_url=view["url"], trust_env=False, timeout=60) as http:
        for path in ("/livez", "/readyz", "/livez"):
            assert http.get(path).status_code == 200

    def scraped() -> dict:
        answer = cloud.http.get("/metrics").raise_for_status()
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        return samples(answer.text)

    def value(name: str, **labels: str) -> float:
        return scraped()[name, frozenset({whose, *labels.items()})]

    asked = cloud.http.get(f"/api/bj/v1/deployments/{deployment_name}/metrics").json()["requests"]
    wait_for(lambda: value("bento_jupyter_requests_total") >= max(1, asked))
    assert value("bento_jupyter_request_errors_total") == 0
    assert value("bento_jupyter_request_duration_seconds_count") == value("bento_jupyter_requests_total")
    assert value("bento_jupyter_requests_in_flight") == value("bento_jupyter_requests_queued") == 0
    assert value("bento_jupyter_instances", state="ready") == value("bento_jupyter_instances_wanted") == 1
    assert value("bento_jupyter_instances", state="failed") == 0
    assert value("bento_jupyter_cold_start_seconds_count") == 1
    assert 0 < value("bento_jupyter_cold_start_seconds_sum") < 600
    assert value("bento_jupyter_deployment_healthy") == 1

    def memory() -> float | None:
        found = [
            count for (name, labels), count in scraped().items() if "memory_bytes" in name and whose in labels
        ]
        return found[0] if found else None

    wait_for(memory)
    assert memory() > 2**20


def test_zygotes_are_shown_while_they_are_kept(cloud, pushed_greeter, deployment_name, wait_for) -> None:
    body = {"name": deployment_name, "bento": pushed_greeter}
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    cloud.wait_until(deployment_name, "running")

    def mine() -> dict | None:
        view = cloud.http.get("/api/bj/v1/cloud").raise_for_status().json()
        return next((each for each in view["zygotes"] if f"{deployment_name}/main" in each["users"]), None)

    zygote = wait_for(mine)
    assert zygote["modules"] > 0
    assert zygote["memory_bytes"] > 2**20
    found = samples(cloud.http.get("/metrics").text)
    labels = frozenset({("environment", zygote["environment"]), ("pid", str(zygote["pid"]))})
    assert found["bento_jupyter_zygote_memory_bytes", labels] > 2**20
    assert found["bento_jupyter_zygotes", frozenset()] >= 1
