"""Any deployment can be entered in the form, and the line it shows asks for the same."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bento_jupyter.forms.code import deploy_call, deploy_line, masked
from bento_jupyter.forms.models import Group, Look
from bento_jupyter.magics.deploying import BentoDeployMagics
from bento_jupyter.magics.options import deployment_fields
from bento_jupyter.magics.parsing import parse
from bento_jupyter.service_spec import STRATEGIES, Canary, CanaryVersion, ServiceSpec
from bento_jupyter.spec import DeploymentSpec, Mode

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
#: What a line of text can hold.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=20)
WORDS = (
    st.text(string.ascii_letters + string.digits + "-_. '\"$", min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool)
)


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
        concurrency=draw(st.none() | st.integers(1, 10_000)),
        idle_seconds=draw(st.none() | st.integers(0, 3600)),
        instance_type=draw(st.none() | st.sampled_from(["cpu.1", "gpu.1"])),
        envs=draw(st.dictionaries(KEYS, TEXTS, max_size=3)),
        secrets=draw(st.lists(WORDS, max_size=3, unique=True)),
        labels=draw(st.dictionaries(WORDS.filter(lambda word: "=" not in word), TEXTS, max_size=3)),
        protected=draw(st.booleans()),
        strategy=draw(st.none() | st.sampled_from(STRATEGIES)),
        timeout=draw(st.none() | st.floats(0.001, 1e6)),
        cold_start_timeout=draw(st.none() | st.integers(1, 10_000)),
    )


LOOK = Look(options={"instance_type": [("small", "cpu.1")]}, secret=("envs",))
GROUP = Group(DeploymentSpec, look=LOOK)
SERVICES = st.builds(
    ServiceSpec,
    min=st.none() | st.integers(0, 3),
    retries=st.none() | st.booleans(),
    strategy=st.none() | st.sampled_from(STRATEGIES),
    envs=st.dictionaries(KEYS, TEXTS, max_size=2),
)
CANARIES = st.builds(
    Canary,
    by=st.sampled_from(["random", "header"]),
    key=st.none() | NAMES,
    versions=st.dictionaries(
        NAMES,
        st.builds(
            CanaryVersion,
            bento=st.just("iris:v2"),
            weight=st.integers(0, 100),
            envs=st.none() | st.dictionaries(KEYS, TEXTS, max_size=2),
            secrets=st.none() | st.lists(WORDS, max_size=2),
            services=st.dictionaries(NAMES, SERVICES, max_size=1),
        ),
        max_size=2,
    ),
)


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(NAMES, SERVICES, max_size=2), CANARIES, st.none() | st.integers(1, 99))
def test_services_and_canaries_can_be_entered(
    services: dict[str, ServiceSpec], canary: Canary, queue: int | None
) -> None:
    spec = DeploymentSpec(name="iris", bento="iris:v1", services=services, canary=canary, queue=queue)
    GROUP.value = spec
    assert GROUP.read() == spec


@settings(max_examples=40, deadline=None)
@given(specs())
def test_any_deployment_can_be_entered(spec: DeploymentSpec) -> None:
    GROUP.value = spec
    assert GROUP.read() == spec


@settings(max_examples=60, deadline=None)
@given(specs())
def test_what_is_entered_is_what_its_line_asks_for(spec: DeploymentSpec) -> None:
    GROUP.value = spec
    line = deploy_line(GROUP.read(), "clf", "X[:5]").removeprefix("%bento_deploy ")
    found = parse(BentoDeployMagics.bento_deploy, line)
    said = {key: value for key, value in deployment_fields(found).items() if value is not None}
    assert (found.target, found.sample) == ("clf", "X[:5]")
    assert DeploymentSpec(name=found.name, bento=spec.bento, **said) == masked(spec)


@settings(max_examples=40, deadline=None)
@given(specs())
def test_what_is_entered_is_what_its_call_asks_for(spec: DeploymentSpec) -> None:
    class Recorder:
        @staticmethod
        def deploy(target: str, **options: Any) -> tuple[str, dict[str, Any]]:
            return target, options

    GROUP.value = spec
    code = deploy_call(GROUP.read(), repr(spec.bento), "5")
    bento, options = eval(code, {"bj": Recorder})
    assert options.pop("sample") == 5
    assert DeploymentSpec(bento=bento, **options) == masked(spec)


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
