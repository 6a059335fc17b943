"""How the line of a magic is split into words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.magics.deploying import BentoDeployMagics
from bento_jupyter.magics.options import deployment_fields
from bento_jupyter.magics.parsing import parse, split
from bento_jupyter.service_spec import Canary, CanaryVersion, ServiceSpec
from bento_jupyter.spec import DeploymentSpec, Mode
from bento_jupyter.spelling import to_call, to_line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("clf --sample X[:5, :]", ["clf", "--sample", "X[:5, :]"]),
        ('clf --sample "X[:5, :]"', ["clf", "--sample", "X[:5, :]"]),
        ('df[["age", "sex"]].head() -x', ['df[["age", "sex"]].head()', "-x"]),
        ('X.astype("float32");', ['X.astype("float32")']),
        ("""["it's", "b]"] -x""", ["""["it's", "b]"]""", "-x"]),
        ('df["a\\"]"]', ['df["a\\"]"]']),
        ("""--sample '["a"]'""", ["--sample", '["a"]']),
        ('--env "A=b c" --label x="y z"', ["--env", "A=b c", "--label", "x=y z"]),
        ("--env A=:( --max 1", ["--env", "A=:(", "--max", "1"]),
        ("a\\ b c", ["a b", "c"]),
        ("clf --label color=#fff  # it's a comment", ["clf", "--label", "color=#fff"]),
        ("clf ; ", ["clf"]),
        ("", []),
    ],
)
def test_a_line_is_split_as_by_a_shell_with_expressions_whole(line: str, words: list[str]) -> None:
    assert split(line) == words


def test_an_open_quotation_is_told() -> None:
    with pytest.raises(ValueError, match="quotation"):
        split('iris "clf')


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=15) | st.text(
    "'\"\\{}[]()$#;!?%=é \u00a0\u65e5", max_size=10
)
NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
KEY = TEXT.filter(lambda text: text and "=" not in text)
SERVICE = st.builds(
    ServiceSpec,
    min=st.none() | st.integers(0, 9),
    concurrency=st.none() | st.integers(1, 9),
    timeout=st.none() | st.floats(0.5, 1e6),
    retries=st.none() | st.booleans(),
    envs=st.dictionaries(NAME, TEXT, max_size=2),
    other=st.dictionaries(NAME, st.dictionaries(NAME, TEXT, min_size=1, max_size=2), max_size=1),
)
CANARY = st.builds(
    CanaryVersion,
    bento=st.just("iris:v2"),
    weight=st.floats(0, 50),
    envs=st.none() | st.dictionaries(NAME, TEXT, max_size=2),
    secrets=st.none() | st.lists(NAME, max_size=2),
    services=st.dictionaries(NAME, SERVICE, max_size=1),
)
SPECS = st.builds(
    DeploymentSpec,
    name=st.just("iris"),
    bento=st.just("iris:v1"),
    mode=st.sampled_from(Mode),
    max=st.none() | st.integers(1, 9),
    queue=st.none() | st.integers(1, 9),
    timeout=st.none() | st.floats(0.5, 1e6),
    idle_seconds=st.none() | st.integers(0, 3600),
    scale_up_seconds=st.none() | st.integers(0, 3600),
    protected=st.booleans(),
    retries=st.none() | st.booleans(),
    envs=st.dictionaries(NAME, TEXT, max_size=3),
    secrets=st.lists(KEY, max_size=2),
    labels=st.dictionaries(KEY, TEXT, max_size=3),
    services=st.dictionaries(NAME, SERVICE, max_size=2),
    canary=st.just(Canary())
    | st.builds(
        Canary,
        by=st.just("header"),
        key=NAME,
        versions=st.dictionaries(NAME, CANARY, min_size=1, max_size=2),
    ),
)


@given(SPECS)
def test_a_deployment_spelled_as_a_line_and_read_again_is_the_same(spec: DeploymentSpec) -> None:
    magic, _, line = to_line(spec).partition(" ")
    assert magic == "%bento_deploy"
    arguments = parse(BentoDeployMagics.bento_deploy, line)
    said = {key: value for key, value in deployment_fields(arguments).items() if value is not None}
    assert DeploymentSpec(name=arguments.name, bento=arguments.target, **said) == spec


@given(SPECS)
def test_a_deployment_spelled_as_a_call_is_the_same(spec: DeploymentSpec) -> None:
    class Bj:
        @staticmethod
        def deploy(bento: str, **fields: object) -> DeploymentSpec:
            return DeploymentSpec(bento=bento, **fields)

    assert eval(to_call(spec), {"bj": Bj}) == spec


def test_a_value_of_several_lines_is_no_line() -> None:
    spec = DeploymentSpec(name="iris", bento="iris:v1", envs={"A": "one\ntwo"})
    with pytest.raises(ValueError, match="several lines"):
        to_line(spec)
    assert "one\\ntwo" in to_call(spec)
