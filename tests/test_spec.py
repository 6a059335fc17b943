"""The vocabulary: what is asked of a deployment, to the wire and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from bentoml._internal.cloud.schemas.schemasv2 import DeploymentFullSchema
from bentoml._internal.cloud.schemas.utils import schema_from_object
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bento_jupyter.client.changing import completed
from bento_jupyter.client.wire import read_spec
from bento_jupyter.errors import InvalidRequestError
from bento_jupyter.service_spec import Canary, ServiceSpec
from bento_jupyter.spec import DeploymentSpec, Mode, Scaling, Traffic, free_name

names = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True)
texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)


@st.composite
def specs(draw: st.DrawFn) -> DeploymentSpec:
    mode = draw(st.sampled_from(Mode))
    least = None if mode is Mode.ON_DEMAND else draw(st.none() | st.integers(1, 5))
    return DeploymentSpec(
        name=draw(st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)),
        bento="iris:v1",
        mode=mode,
        min=least,
        max=draw(st.none() | st.integers(least or 1, 9)),
        concurrency=draw(st.none() | st.integers(1, 99)),
        idle_seconds=draw(st.none() | st.integers(0, 3600)),
        instance_type=draw(st.none() | st.just("cpu.1")),
        envs=draw(st.dictionaries(names, texts, max_size=3)),
        labels=draw(st.dictionaries(names, texts, max_size=3)),
        protected=draw(st.booleans()),
        timeout=draw(st.none() | st.integers(1, 600)),
        cold_start_timeout=draw(st.none() | st.integers(1, 600)),
    )


def answered(spec: DeploymentSpec) -> Any:
    """What a cloud answers that was asked for `spec`, which the client can read, too."""
    wire = spec.to_wire("Iris")
    about = {
        "uid": "1",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": None,
        "deleted_at": None,
        "labels": [],
    }
    user = {"name": "me", "email": "", "first_name": "", "last_name": ""}
    repository = {
        **about,
        "name": "iris",
        "resource_type": "bento_repository",
        "description": "",
        "latest_bento": None,
    }
    bento = {
        **about,
        "name": "v1",
        "resource_type": "bento",
        "description": "",
        "version": "v1",
        "image_build_status": "success",
        "upload_status": "success",
        "upload_finished_reason": "",
        "presigned_upload_url": "",
        "presigned_download_url": "",
        "repository": repository,
    }
    config = {key: value for key, value in wire.items() if key not in ("name", "bento", "dev")}
    target = {
        **about,
        "name": "main",
        "resource_type": "deployment",
        "creator": user,
        "config": config,
        "bento": bento,
    }
    revision = {
        **about,
        "name": "1",
        "resource_type": "deployment_revision",
        "creator": user,
        "status": "active",
        "targets": [target],
    }
    cluster = {
        **about,
        "name": "default",
        "resource_type": "cluster",
        "description": "",
        "organization_name": "",
        "creator": user,
    }
    answer = {
        **about,
        "labels": wire["labels"],
        "name": spec.name,
        "resource_type": "deployment",
        "status": "running",
        "kube_namespace": "",
        "creator": user,
        "cluster": cluster,
        "latest_revision": revision,
        "urls": [],
    }
    schema_from_object(answer, DeploymentFullSchema)  # the client can read it
    return answer


@given(specs())
def test_a_deployment_read_back_from_the_wire_asks_for_the_same(spec: DeploymentSpec) -> None:
    assert read_spec(answered(spec)).to_wire("Iris") == spec.to_wire("Iris")


@given(specs(), specs())
def test_what_is_not_said_stays_and_what_is_said_counts(old: DeploymentSpec, new: DeploymentSpec) -> None:
    given_now = {"mode": new.mode, "protected": new.protected}
    changed = DeploymentSpec(**old.changed_by(given_now))
    assert (changed.mode, changed.protected) == (new.mode, new.protected)
    assert (changed.envs, changed.labels, changed.idle_seconds) == (old.envs, old.labels, old.idle_seconds)
    if new.mode is old.mode:
        assert changed.scaling == old.scaling


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "A"}, "small letters"),
        ({"name": "a", "min": 0}, "on-demand"),
        ({"name": "a", "mode": "on-demand", "min": 1}, "online"),
        ({"name": "a", "min": 3, "max": 2}, "below min"),
        ({"name": "a", "envs": {"1x": ""}}, "environment variable"),
        ({"name": "a", "nonsense": 1}, "Extra inputs"),
    ],
)
def test_what_cannot_be_is_refused_in_words(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        DeploymentSpec(**fields)


@given(
    st.text("ab-_.:A0", max_size=80),
    st.integers(0, 12),
)
def test_a_name_that_is_offered_is_free_and_a_name(base: str, number: int) -> None:
    taken: set[str] = set()
    for _ in range(number):
        name = free_name(base, taken)
        assert name not in taken
        if name:
            DeploymentSpec(name=name)
            taken.add(name)


def test_a_variable_is_refused_whose_value_stands_for_one_that_is_not_shown() -> None:
    hidden = {"envs": {"A": "..."}}
    canary = {"versions": {"new": {"bento": "a:w", **hidden}}}
    givens: list[dict[str, Any]] = [
        hidden,
        {"services": {"other": hidden}},
        {"services": {"other": ServiceSpec(**hidden)}},
        {"canary": canary},
        {"canary": Canary(**canary)},
    ]
    for given_now in givens:
        with pytest.raises(InvalidRequestError, match=r"variable A: '\.\.\.' stands for a value"):
            completed(None, {"name": "a", **given_now}, "a:v", "main")
    # Whoever has it for real keeps it, also when the canary that has it becomes the main version.
    before = DeploymentSpec(name="a", bento="a:v", canary=Canary(**canary))
    assert completed(before, {**hidden, "canary": Canary()}, "a:w", "main").envs == {"A": "..."}
    assert completed(None, {"name": "a", "labels": {"envs": "..."}}, "a:v", "main").labels == {"envs": "..."}


def test_numbers_of_arrays_are_numbers_and_what_is_no_text_is_no_variable() -> None:
    assert completed(None, {"name": "a", "max": np.int64(2)}, "a:v", "main").max == 2
    for value in (np.int64(3), object(), b"\xff", np.arange(2)):
        with pytest.raises(InvalidRequestError, match=r"envs\.A"):
            completed(None, {"name": "a", "envs": {"A": value}}, "a:v", "main")


@pytest.mark.parametrize("seconds", [math.inf, -math.inf, math.nan, 1e999])
def test_no_time_is_endless(seconds: float) -> None:
    for model, field in (
        (DeploymentSpec, "timeout"),
        (ServiceSpec, "timeout"),
        (Traffic, "timeout"),
        (Traffic, "cold_start_timeout"),
        (Scaling, "idle_seconds"),
        (Scaling, "scale_up_seconds"),
    ):
        with pytest.raises(ValidationError, match=field):
            model(**({"name": "a"} if model is DeploymentSpec else {}), **{field: seconds})
