"""Sizes of instances: which are offered, which one is taken, and what is refused."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from bento_jupyter.cloud.api.configuration import CreateDeployment, complete_config
from bento_jupyter.cloud.api.exchange import parse
from bento_jupyter.cloud.engines import Node
from bento_jupyter.cloud.instance_types import DEFAULT_INSTANCE_TYPE, fitting_instance_type, instance_types
from bento_jupyter.cloud.store import BentoRecord
from bento_jupyter.errors import InvalidRequestError

GIBIBYTE = 2**30
LAPTOP = Node("laptop", cpus=4, memory_bytes=16 * GIBIBYTE)
SERVER = Node("server", cpus=32, memory_bytes=128 * GIBIBYTE, gpus=4, free_gpus=4, gpu_model="NVIDIA L4")
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def names(*nodes: Node) -> list[str]:
    return [kind.name for kind in instance_types(nodes).offered]


def deployed(resources: dict[str, Any], node: Node, instance_type: str | None = None) -> str:
    """The instance type that a service gets which asks for `resources`."""
    services = [{"name": "One", "config": {"resources": resources}}]
    bento = BentoRecord("u", "b", "v1", {"entry_service": "One", "services": services}, "success", NOW, NOW)
    body = parse(CreateDeployment, {"bento": "b:v1", "services": {"One": {"instance_type": instance_type}}})
    config = complete_config(body, bento, types=instance_types([node]))
    return str(config["services"]["One"]["instance_type"])


def test_those_that_fit_on_the_machine_are_offered() -> None:
    assert names(LAPTOP) == ["cpu.1", "cpu.2", "cpu.4", "cpu.8"]
    assert names(Node("tiny", 1, GIBIBYTE)) == ["cpu.1"], "there is always one"
    assert names(Node("tiny", 1, GIBIBYTE), LAPTOP) == names(LAPTOP), "one machine is enough"


def test_gpus_come_with_their_share_of_the_machine() -> None:
    offered = {kind.name: kind for kind in instance_types([SERVER]).offered}
    assert [name for name in offered if name.startswith("gpu")] == ["gpu.1", "gpu.2", "gpu.4"]
    half = offered["gpu.2"]
    assert (half.gpu, half.cpu, half.memory_bytes) == (2, 16, 64 * GIBIBYTE)
    assert "NVIDIA L4" in half.description


@pytest.mark.parametrize(
    ("resources", "wanted"),
    [
        ({}, DEFAULT_INSTANCE_TYPE),
        ({"cpu": "0.4", "memory": "100Mi"}, "cpu.1"),
        ({"cpu": "unreadable"}, "cpu.1"),
        ({"cpu": "900m"}, "cpu.2"),
        ({"cpu": 1, "memory": "3Gi"}, "cpu.4"),
        ({"memory": "1000Ti"}, "cpu.64"),
        ({"gpu": 1}, "gpu.1"),
        ({"gpu": "2", "gpu_type": "nvidia-l4"}, "gpu.2"),
        ({"gpu": 3}, "gpu.4"),
        ({"gpu": 1, "memory": "40Gi"}, "gpu.2"),
    ],
)
def test_a_service_gets_the_smallest_that_covers_what_it_asks_for(
    resources: dict[str, Any], wanted: str
) -> None:
    assert fitting_instance_type(resources, instance_types([SERVER])) == wanted
    assert deployed(resources, SERVER) == wanted


def test_gpus_that_are_not_there_are_refused_unless_it_is_to_run_without() -> None:
    with pytest.raises(InvalidRequestError, match="service One asks for 1 GPU, but no instance type has"):
        deployed({"gpu": 1}, LAPTOP)
    with pytest.raises(InvalidRequestError, match="asks for 5 GPU"):
        deployed({"gpu": 5}, SERVER)
    assert deployed({"gpu": 1}, LAPTOP, "cpu.2") == "cpu.2"


def test_more_than_the_machine_has_is_refused_with_what_it_has(tmp_path: Path) -> None:
    for asked, reason in {
        "cpu.32": "16 CPU; laptop has 4",
        "gpu.1": "there is no instance type 'gpu.1'; there are: cpu.1, cpu.2, cpu.4, cpu.8",
    }.items():
        with pytest.raises(InvalidRequestError, match=reason):
            deployed({}, LAPTOP, asked)
    file = tmp_path / "instance_types.json"
    file.write_text(
        json.dumps(
            [
                {"name": "small", "cpu": 1, "memory": "512Mi"},
                {"name": "roomy", "cpu": 1, "memory": "64Gi"},
                {"name": "trainer", "cpu": 1, "memory": "1Gi", "gpu": 1},
            ]
        )
    )
    types = instance_types([LAPTOP], file)
    assert types.refusal("roomy") == "instance type 'roomy' has 64 GiB of memory; laptop has 16 GiB"
    assert types.refusal("trainer") == "instance type 'trainer' has 1 GPU; laptop has none"
    assert types.refusal("small") == ""


def test_a_file_takes_the_place_of_the_usual_ones(tmp_path: Path) -> None:
    file = tmp_path / "instance_types.json"
    file.write_text(
        '[{"name": "small", "cpu": 0.5, "memory": "1Gi"}, {"name": "big", "cpu": 3, "memory": 8e9}]'
    )
    types = instance_types([LAPTOP], file)
    assert [(kind.name, kind.cpu, kind.memory_bytes) for kind in types.offered] == [
        ("small", 0.5, GIBIBYTE),
        ("big", 3.0, 8_000_000_000),
    ]
    assert types.default.name == "small"
    assert types.size("gone").name == "small"
    assert fitting_instance_type({"cpu": 2}, types) == "big"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "EOF"),
        ("[]", "names no instance type"),
        ('[{"name": "a", "cpu": 1}]', "0.memory"),
        ('[{"name": "a", "cpu": 0, "memory": "1Gi"}]', "0.cpu"),
        ('[{"name": "a", "cpu": 1, "memory": "lots"}]', "'lots' is no size of memory"),
        ('[{"name": "a b", "cpu": 1, "memory": "1Gi"}]', "0.name"),
        ('[{"name": "a", "cpu": 1, "memory": "1Gi", "gpus": 1}]', "0.gpus"),
    ],
)
def test_a_file_that_is_wrong_is_told_with_the_place(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "instance_types.json"
    file.write_text(text)
    with pytest.raises(InvalidRequestError) as caught:
        instance_types([LAPTOP], file)
    assert str(file) in caught.value.message
    assert told in caught.value.message
