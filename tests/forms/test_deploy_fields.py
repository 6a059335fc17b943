"""Any deployment can be entered in the form, and the line it shows asks for the same."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bento_jupyter.forms.code import (
    deploy_call,
    deploy_line,
    differences,
    rebased,
    update_line,
    wanted_changes,
)
from bento_jupyter.forms.models import Group, Look
from bento_jupyter.magics.deploying import BentoDeployMagics
from bento_jupyter.magics.options import deployment_fields
from bento_jupyter.magics.parsing import parse
from bento_jupyter.service_spec import STRATEGIES, Canary, CanaryVersion, ServiceSpec
from bento_jupyter.spec import DeploymentSpec, Mode, masked

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
#: What a line of text can hold.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=20)
WORDS = (
    st.text(string.ascii_letters + string.digits + "-_. '\"$", min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool)
)


NUMBERS = st.none() | st.integers(1, 10_000)
SECONDS = st.none() | st.integers(0, 3600)
LIMITS = {
    "concurrency": NUMBERS,
    "idle_seconds": SECONDS,
    "scale_up_seconds": SECONDS,
    "instance_type": st.none() | st.sampled_from(["cpu.1", "gpu.1"]),
    "strategy": st.none() | st.sampled_from(STRATEGIES),
    "timeout": st.none() | st.floats(0.001, 1e6),
    "cold_start_timeout": NUMBERS,
    "queue": NUMBERS,
    "retries": st.none() | st.booleans(),
}
ENVS = st.dictionaries(KEYS, TEXTS, max_size=3)
SERVICES = st.builds(
    ServiceSpec,
    min=st.none() | st.integers(0, 3),
    max=st.none() | st.integers(3, 9),
    envs=ENVS,
    other=st.just({}) | st.just({"config_overrides": {"workers": 2}}),
    **LIMITS,
).filter(ServiceSpec.said)
VERSIONS = st.builds(
    CanaryVersion,
    bento=st.sampled_from(["iris:v1", "iris:v2"]),
    weight=st.integers(0, 100) | st.floats(0, 100),
    envs=st.none() | ENVS,
    secrets=st.none() | st.lists(WORDS, max_size=2, unique=True),
    services=st.dictionaries(NAMES, SERVICES, max_size=1),
)


@st.composite
def canaries(draw: st.DrawFn) -> Canary:
    """Any valid ones; a header or parameter is named when it decides, and only with versions."""
    versions = draw(st.dictionaries(NAMES, VERSIONS, max_size=2))
    by = draw(st.sampled_from(["random", "header", "query"])) if versions else "random"
    return Canary(by=by, key=None if by == "random" else draw(NAMES), versions=versions)


@st.composite
def specs(draw: st.DrawFn) -> DeploymentSpec:
    """Any valid one."""
    mode = draw(st.sampled_from(Mode))
    least = draw(st.none() | st.integers(1, 5)) if mode is Mode.ONLINE else draw(st.none() | st.just(0))
    return DeploymentSpec(
        name=draw(NAMES),
        bento="iris:v1",
        mode=mode,
        min=least,
        max=draw(st.none() | st.integers(max(1, least or 1), 1000)),
        envs=draw(ENVS),
        secrets=draw(st.lists(WORDS, max_size=3, unique=True)),
        labels=draw(st.dictionaries(WORDS.filter(lambda word: "=" not in word), TEXTS, max_size=3)),
        protected=draw(st.booleans()),
        services=draw(st.dictionaries(NAMES, SERVICES, max_size=1)),
        canary=draw(canaries()),
        **{name: draw(each) for name, each in LIMITS.items()},
    )


LOOK = Look(
    options={
        "instance_type": [("small", "cpu.1")],
        "strategy": [(each, each) for each in STRATEGIES],
        "bento": [("one", "iris:v1"), ("two", "iris:v2")],
        "secrets": [("a", "a"), ("b", "b")],
    },
    secret=("envs",),
)
GROUP = Group(DeploymentSpec, look=LOOK, without=("bento",))
GROUP.given["bento"] = "iris:v1"


class Recorder:
    """Stands for `bj` where a call is read back."""

    @staticmethod
    def deploy(target: str, **options: Any) -> tuple[str, dict[str, Any]]:
        return target, options


def asked_for(line: str, magic: Any, name: str) -> tuple[Any, dict[str, Any]]:
    """The words of a magic line, and the fields that it says."""
    found = parse(magic, line.removeprefix(f"%{name} "))
    return found, {key: value for key, value in deployment_fields(found).items() if value is not None}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs())
def test_any_deployment_is_entered_and_its_line_and_its_call_ask_for_the_same(spec: DeploymentSpec) -> None:
    GROUP.value = spec
    entered = GROUP.read()
    assert entered is not None, [each.problem for each in GROUP.fields.values()]
    assert set(entered.secrets) == set(spec.secrets)
    assert entered.model_copy(update={"secrets": []}) == spec.model_copy(update={"secrets": []})
    found, said = asked_for(
        deploy_line(entered, "clf", "X[:5]"), BentoDeployMagics.bento_deploy, "bento_deploy"
    )
    assert (found.target, found.sample) == ("clf", "X[:5]")
    assert DeploymentSpec(name=found.name, bento=spec.bento, **said) == masked(entered)
    bento, options = eval(deploy_call(entered, repr(spec.bento), "5"), {"bj": Recorder})
    assert options.pop("sample") == 5
    assert DeploymentSpec(bento=bento, **options) == masked(entered)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs(), specs())
def test_the_line_and_the_call_of_an_update_make_the_one_of_the_other(
    before: DeploymentSpec, after: DeploymentSpec
) -> None:
    after = after.model_copy(update={"name": before.name})
    wanted, reset = wanted_changes(before, after)
    line = update_line(wanted, mode=before.mode is not after.mode, reset=reset)
    found, said = asked_for(line, BentoDeployMagics.bento_update, "bento_update")
    bento, options = eval(deploy_call(wanted, "'iris:v1'", reset=reset), {"bj": Recorder})
    assert (found.name, found.target) == (before.name, None)
    assert (bento, options.pop("name"), options.pop("reset", [])) == ("iris:v1", before.name, reset)
    assert {field.replace("-", "_") for field in found.reset or []} == set(reset)
    for each in (said, options):  # services are apart: settings of one are put over those it has
        default = {field: DeploymentSpec.default_of(field) for field in reset}
        made = DeploymentSpec(**before.changed_by({**default, **each}))
        assert masked(made).model_copy(update={"services": {}}) == masked(after).model_copy(
            update={"services": {}}
        )


@settings(max_examples=30, deadline=None)
@given(specs(), specs())
def test_what_changes_is_shown_and_no_value_of_a_variable(
    before: DeploymentSpec, after: DeploymentSpec
) -> None:
    assert differences(before, before) == []
    shown = differences(before, after)
    assert bool(shown) == (before != after)
    assert {place.partition(".")[0] for place, _, _ in shown} == {
        name for name in DeploymentSpec.model_fields if getattr(before, name) != getattr(after, name)
    }
    assert {now for place, *both in shown if ".envs." in f".{place}" for now in both} <= {
        "given",
        "none",
        "default",
        "another value",
    }


def test_a_canary_without_variables_is_another_one_than_a_canary_with_those_of_the_main_version() -> None:
    def spec(envs: dict[str, str] | None) -> DeploymentSpec:
        versions = {"v2": CanaryVersion(bento="iris:v2", envs=envs)}
        return DeploymentSpec(name="iris", canary=Canary(versions=versions))

    assert differences(spec(None), spec({})) == [("canary.versions.v2.envs", "default", "none")]
    assert differences(spec({}), spec({"A": "1"})) == [("canary.versions.v2.envs.A", "none", "given")]


def test_values_of_the_environment_are_in_no_state_and_in_no_code() -> None:
    group = Group(DeploymentSpec, look=LOOK)
    group.value = {"name": "iris", "bento": "iris:v1", "envs": {"KEY": "s3cret"}}
    spec = group.read()
    assert spec.envs == {"KEY": "s3cret"}
    assert "s3cret" not in deploy_line(spec, "iris:v1") + deploy_call(spec, "'iris:v1'")
    secrets = [field.widgets[0].get_state() for field in group["envs"].inner()]
    assert "s3cret" not in repr(secrets)
    group.forget()
    assert group.read().envs == {"KEY": ""}


TREES = st.recursive(
    st.integers(0, 3) | st.lists(st.sampled_from("abc"), max_size=3, unique=True),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(TREES, TREES)
def test_a_field_that_nobody_or_one_has_changed_is_rebased_to_that(base: Any, changed: Any) -> None:
    assert rebased(base, base, changed) == changed
    assert rebased(base, changed, base) == changed


def test_what_two_have_changed_is_kept_of_both() -> None:
    base = {"A": "1", "B": "1", "C": "1"}
    mine, theirs = {"A": "2", "B": "1", "D": "4"}, {"A": "1", "C": "3", "E": "5"}
    assert rebased(base, mine, theirs) == {"A": "2", "E": "5", "D": "4"}
    assert rebased({"a": {"x": 1}}, {"a": {"x": 2}}, {"a": {"x": 1, "y": 1}}) == {"a": {"x": 2, "y": 1}}
    assert rebased("1", "2", "3") == "2"
