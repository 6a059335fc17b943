"""A real embedded cloud in a process of its own, and the unmodified `bentoml` client beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running_cloud import BUILD, SERVICE, Client, RunningCloud, run_cloud, wait_for

from bento_jupyter.home import Home


@pytest.fixture(name="wait_for")
def _wait_for() -> Callable[..., object]:
    """Wait until a condition is true."""
    return wait_for


@pytest.fixture
def start_cloud() -> Iterator[Callable[..., RunningCloud]]:
    """Start clouds that this test alone uses; they are stopped at its end."""
    started: list[RunningCloud] = []

    def start(home: Home, **environment: str) -> RunningCloud:
        started.append(run_cloud(home, **environment))
        return started[-1]

    yield start
    for cloud in started:
        cloud.stop()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    """An embedded cloud for the whole session: use names of your own in it."""
    # Also on machines with podman: its images are tried elsewhere.
    running = run_cloud(Home(tmp_path_factory.mktemp("cloud-home")), BENTO_JUPYTER_BUILDER="none")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def bentoml(cloud: RunningCloud, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The `bentoml` CLI, logged in to `cloud`."""
    client = Client(tmp_path_factory.mktemp("bentoml-home"))
    client("cloud", "login", "--endpoint", cloud.endpoint, "--api-token", cloud.token)
    return client


@pytest.fixture
def other_bentoml(cloud: RunningCloud, tmp_path: Path) -> Client:
    """The `bentoml` CLI of somebody else, with an empty home, logged in to `cloud`."""
    client = Client(tmp_path / "other-home")
    client("cloud", "login", "--endpoint", cloud.endpoint, "--api-token", cloud.token)
    return client


@pytest.fixture
def fresh_greeter(bentoml: Client, tmp_path: Path) -> str:
    """Tag of a Bento with a model that nothing of is in the cloud."""
    (tmp_path / "service.py").write_text(SERVICE)
    return bentoml.python(BUILD, cwd=tmp_path).splitlines()[-1]


@pytest.fixture(scope="session")
def greeter(bentoml: Client, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Tag of a Bento with a model: built, not pushed by this fixture."""
    project = tmp_path_factory.mktemp("greeter")
    (project / "service.py").write_text(SERVICE)
    return bentoml.python(BUILD, cwd=project).splitlines()[-1]


@pytest.fixture(scope="session")
def pushed_greeter(bentoml: Client, greeter: str) -> str:
    """Tag of a Bento that is in the cloud."""
    bentoml("push", greeter)
    return greeter


@pytest.fixture
def deployment_name(cloud: RunningCloud, request: pytest.FixtureRequest) -> Iterator[str]:
    """A name of this test's own; a deployment of that name is deleted at its end."""
    name = f"t-{abs(hash(request.node.nodeid)) % 16**8:08x}"
    yield name
    cloud.http.delete(f"/api/v2/deployments/{name}")
