"""The configuration of a deployment: its gaps are filled as the client would fill them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.cloud.api.configuration import CreateDeployment, UpdateDeployment, complete_config
from bento_jupyter.cloud.api.exchange import parse
from bento_jupyter.cloud.engines import Node
from bento_jupyter.cloud.instance_types import instance_types
from bento_jupyter.cloud.store import BentoRecord
from bento_jupyter.errors import InvalidRequestError
from bento_jupyter.spec import DeploymentSpec

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
SERVICES = [{"name": "Back", "config": {"resources": {"cpu": "700m"}}}, {"name": "Front"}]
BENTO = BentoRecord("u", "duo", "v1", {"entry_service": "Front", "services": SERVICES}, "success", NOW, NOW)
TYPES = instance_types([Node("here", 4, 16 * 2**30)])

counts = st.none() | st.integers(-2, 1002)


@given(least=counts, most=counts)
def test_scaling_is_completed_and_ordered_or_refused(least, most):
    scaling = {"min_replicas": least, "max_replicas": most}
    body = {"bento": "duo:v1", "services": {"Front": {"scaling": scaling}}}
    # The rules of the client (bentoml._internal.cloud.deployment.DeploymentAPI._fix_scaling), and our limits.
    full_max = most if most is not None else max(1, least or 0)
    full_min = 1 if least is None else least
    if 0 <= full_min <= full_max <= 1000 and full_max >= 1:
        config = complete_config(parse(UpdateDeployment, body), BENTO, types=TYPES)
        done = config["services"]["Front"]["scaling"]
        assert (done["min_replicas"], done["max_replicas"]) == (full_min, full_max)
    else:
        with pytest.raises(InvalidRequestError, match=r"services\.Front\.scaling"):
            parse(UpdateDeployment, body)


def test_services_that_the_client_does_not_mention_get_one_instance():
    config = complete_config(
        parse(CreateDeployment, {"bento": "duo:v1", "services": None}), BENTO, types=TYPES
    )
    assert list(config["services"]) == ["Front", "Back"], "the entry service first"
    for service in config["services"].values():
        assert (service["scaling"]["min_replicas"], service["scaling"]["max_replicas"]) == (1, 1)


def test_nulls_become_what_they_mean():
    body = {
        "bento": "duo:v1",
        "access_authorization": None,
        "envs": [None, {"name": "A", "value": "b"}],
        "labels": None,
        "secrets": None,
        "canary": None,
        "services": {"Front": None, "Back": {"envs": None, "scaling": None, "config_overrides": None}},
    }
    config = complete_config(parse(UpdateDeployment, body), BENTO, [{"key": "k", "value": "v"}], types=TYPES)
    assert config["access_authorization"] is False
    assert config["envs"] == [{"name": "A", "value": "b"}]
    assert config["labels"] == [{"key": "k", "value": "v"}]
    assert (config["secrets"], config["canary"]) == ([], None)
    assert config["services"]["Back"]["config_overrides"] == {}


def test_completing_what_is_complete_changes_nothing():
    body = {
        "bento": "duo:v1",
        "services": {"Front": {"config_overrides": {"traffic": {"concurrency": 3}, "x": 1}}},
    }
    once = complete_config(parse(UpdateDeployment, body), BENTO, types=TYPES)
    assert complete_config(parse(UpdateDeployment, {"bento": "duo:v1", **once}), BENTO, types=TYPES) == once


def test_what_a_spec_asks_for_arrives():
    spec = DeploymentSpec(
        name="d",
        bento="duo:v1",
        mode="on-demand",
        max=4,
        concurrency=2,
        idle_seconds=5,
        timeout=9.5,
        protected=True,
    )
    config = complete_config(parse(CreateDeployment, spec.to_wire("Front")), BENTO, types=TYPES)
    front = config["services"]["Front"]
    assert config["access_authorization"] is True
    assert (front["scaling"]["min_replicas"], front["scaling"]["max_replicas"]) == (0, 4)
    assert front["scaling"]["policy"]["scale_down_stabilization_window"] == 5
    assert front["config_overrides"]["traffic"] == {"timeout": 9.5, "concurrency": 2, "external_queue": True}


def test_a_canary_is_as_the_main_version_where_it_says_nothing():
    other = BentoRecord("u", "duo", "v2", {"services": [{"name": "Front"}]}, "success", NOW, NOW)
    body = {
        "bento": "duo:v1",
        "envs": [{"name": "A", "value": "main"}],
        "services": {"Front": {"scaling": {"min_replicas": 0}}, "Back": {}},
        "canary": {
            "versions": {
                "same": {"bento": "duo:v2", "weight": 10},
                "own": {"bento": "duo:v2", "weight": 5.5, "envs": [], "services": {"Front": None}},
            }
        },
    }
    config = complete_config(
        parse(CreateDeployment, body), BENTO, (), {"same": other, "own": other}, types=TYPES
    )
    assert config["canary"]["route_type"] == "random"
    same, own = config["canary"]["versions"]["same"], config["canary"]["versions"]["own"]
    assert (same["envs"], own["envs"]) == ([{"name": "A", "value": "main"}], [])
    assert list(same["services"]) == ["Front"], "its Bento has no other service"
    assert same["services"]["Front"]["scaling"]["min_replicas"] == 0
    assert own["services"]["Front"]["scaling"]["min_replicas"] == 1
    assert (same["weight"], own["weight"]) == (10, 5.5)


def test_an_update_may_name_services_that_the_deployment_had_before():
    body = parse(UpdateDeployment, {"bento": "duo:v1", "services": {"Old": {}}})
    assert set(complete_config(body, BENTO, (), {}, {"Old"}, types=TYPES)["services"]) == {"Front", "Back"}
    with pytest.raises(InvalidRequestError, match="no service 'Old'"):
        complete_config(body, BENTO, types=TYPES)
