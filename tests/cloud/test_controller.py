"""Deployments on real parts: a store, environments, replicas and the gateway, driven by a controller."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from built_bento import build_bento
from controlled_cloud import Cloud, cloud_of, eventually, pids

from bento_jupyter.cloud.dataplane import DataPlane
from bento_jupyter.cloud.engines import ProcessEngine, ReplicaSpec
from bento_jupyter.cloud.ports import free_deployment_port
from bento_jupyter.home import Home
from bento_jupyter.launcher import launch_replica
from bento_jupyter.spec import InstanceState, Mode, Status
from bento_jupyter.views import DeploymentView

SOURCE = """
import os, time
import bentoml

@bentoml.service(traffic={"timeout": 20})
class Service:
    def __init__(self):
        print("service is made")
        if os.environ.get("BREAK"):
            raise RuntimeError("broken on purpose")

    @bentoml.api
    def who(self) -> str:
        return f"{os.getpid()} {os.environ.get('COLOUR', 'none')}"

    @bentoml.api
    def sleep(self, seconds: float) -> str:
        time.sleep(seconds)
        return str(os.getpid())
"""


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Environments that all tests share: they are content-addressed."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(scope="session")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bento(tmp_path_factory.mktemp("bento"), SOURCE)


@pytest.fixture
def home(tmp_path: Path, environments: Path) -> Home:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    home.environments.symlink_to(environments)
    return home


Scenario = Callable[[Cloud], Coroutine[Any, Any, None]]


@pytest.fixture
def play(home: Home, bento: Path) -> Callable[[Scenario], None]:
    """Play a scenario on a cloud of its own, after which none of its processes is left."""

    async def run(scenario: Scenario) -> None:
        async with cloud_of(home, bento) as cloud:
            await scenario(cloud)

    def start(scenario: Scenario) -> None:
        before = set(psutil.Process().children(recursive=True))
        asyncio.run(run(scenario))
        left = set(psutil.Process().children(recursive=True)) - before
        assert [process for process in left if process.is_running()] == []

    return start


def test_an_online_service_comes_up_and_a_killed_instance_is_replaced(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(cloud: Cloud) -> None:
        assert cloud.create("shop").status is Status.IMAGE_BUILDING
        view = await cloud.until_status("shop", Status.RUNNING)
        assert view.mode is Mode.ONLINE
        assert view.image is not None
        assert view.image.status == "success"
        assert view.last_cold_start is not None
        assert list(view.last_cold_start.phases) == ["process", "imports", "load", "ready"]
        answer = await cloud.call("shop")
        assert answer.text == f"{view.instances[0].pid} none"
        os.kill(pids(view)[0], signal.SIGKILL)
        view = await cloud.until("shop", lambda new: len(pids(new)) == 1 and pids(new) != pids(view))
        assert view.status is Status.RUNNING
        (failed,) = [each for each in view.instances if each.state is InstanceState.FAILED]
        assert "SIGKILL" in failed.reason
        assert (await cloud.call("shop")).text == f"{pids(view)[0]} none"
        messages = [event.message for event in cloud.store.events.since(0) if event.name == "shop"]
        words = list(dict.fromkeys(message.partition(":")[0] for message in messages if message))
        assert words == ["image-building", "deploying", "running"]

    play(scenario)


def test_a_function_starts_when_requests_come_and_goes_when_they_are_over(
    play: Callable[[Scenario], None],
) -> None:
    name = "f" * 63  # as long as may be: the paths of sockets may not be long

    async def scenario(cloud: Cloud) -> None:
        cloud.create(name, least=0, most=1, config_overrides={"traffic": {"concurrency": 8}})
        view = await cloud.until_status(name, Status.SCALED_TO_ZERO)
        assert view.healthy
        assert view.instances == []
        answers = await asyncio.gather(*(cloud.call(name) for _ in range(50)))
        assert Counter(answer.status_code for answer in answers) == {200: 50}
        assert len({answer.text for answer in answers}) == 1
        assert cloud.controller.view(name).status is Status.RUNNING
        view = await cloud.until(name, lambda new: new.requests == 50 and new.in_flight == 0)
        assert view.errors == 0
        view = await cloud.until(name, lambda new: not new.instances)
        assert view.status is Status.SCALED_TO_ZERO
        assert (await cloud.call(name)).status_code == 200

    play(scenario)


def test_instances_follow_the_load(play: Callable[[Scenario], None]) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("f", least=0, most=2, config_overrides={"traffic": {"concurrency": 1}})
        await cloud.until_status("f", Status.SCALED_TO_ZERO)
        calls = asyncio.gather(*(cloud.call("f", "/sleep", seconds=0.7) for _ in range(8)))
        view = await cloud.until("f", lambda new: new.ready == 2)
        assert view.wanted == 2
        answers = await calls
        assert len({answer.text for answer in answers}) == 2
        await cloud.until("f", lambda new: not new.instances)

    play(scenario)


def test_a_rollout_loses_no_request_and_a_scaling_change_touches_nothing(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("shop")
        before = pids(await cloud.until_status("shop", Status.RUNNING))
        over = asyncio.Event()
        answers: list[httpx.Response] = []

        async def call_all_the_time() -> None:
            while not over.is_set():
                answers.append(await cloud.call("shop"))

        calls = asyncio.create_task(call_all_the_time())
        view = cloud.update("shop", envs={"COLOUR": "red"})
        assert view.status is Status.DEPLOYING
        assert view.healthy
        view = await cloud.until(
            "shop", lambda new: len(new.instances) == 1 and pids(new) not in ([], before)
        )
        over.set()
        await calls
        assert view.status is Status.RUNNING
        assert {answer.status_code for answer in answers} == {200}
        assert (await cloud.call("shop")).text.endswith("red")
        after = pids(view)
        cloud.update("shop", envs={"COLOUR": "red"}, most=2)
        view = await cloud.until("shop", lambda new: new.revision == 3 and new.scaling.max == 2)
        assert (await cloud.call("shop")).status_code == 200
        assert (view.status, pids(cloud.controller.view("shop"))) == (Status.RUNNING, after)

    play(scenario)


def test_a_cloud_that_stops_the_moment_something_changes_starts_nothing_more(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("shop", least=0)
        await cloud.until_status("shop", Status.SCALED_TO_ZERO)
        assert (await cloud.call("shop")).status_code == 200
        # Nothing waits for it any more: what it does next, it does at a time that it has set itself.
        await cloud.until("shop", lambda view: view.ready == 1 and not view.in_flight)
        cloud.update("shop", least=0, envs={"COLOUR": "red"})

    play(scenario)


def test_recreate_ends_the_old_instance_before_the_new_one_starts(play: Callable[[Scenario], None]) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("shop", deployment_strategy="Recreate")
        await cloud.until_status("shop", Status.RUNNING)
        cloud.update("shop", deployment_strategy="Recreate", envs={"COLOUR": "red"})
        most = 0

        def is_over(view: DeploymentView) -> bool:
            nonlocal most
            most = max(most, len(view.instances))
            return view.status is Status.RUNNING and view.ready == 1

        await cloud.until("shop", is_over)
        assert most == 1
        assert (await cloud.call("shop")).text.endswith("red")

    play(scenario)


@pytest.mark.parametrize(
    ("strategy", "most", "fewest"),
    [("RollingUpdate", 3, 2), ("RampedSlowRollout", 3, 2), ("BestEffortControlledRollout", 2, 1)],
)
def test_a_rollout_keeps_to_its_strategy(
    play: Callable[[Scenario], None], strategy: str, most: int, fewest: int
) -> None:
    async def scenario(cloud: Cloud) -> None:
        wish = {"least": 2, "most": 2, "deployment_strategy": strategy}
        cloud.create("shop", **wish)
        await cloud.until("shop", lambda view: view.status is Status.RUNNING and view.ready == 2)
        up: list[int] = []
        ready: list[int] = []

        def is_over(view: DeploymentView) -> bool:
            states = Counter(each.state for each in view.instances)
            ready.append(states[InstanceState.READY])
            up.append(states[InstanceState.READY] + states[InstanceState.STARTING])
            return view.status is Status.RUNNING and len(view.instances) == 2 and view.ready == 2

        before = {each.id for each in cloud.controller.view("shop").instances}
        cloud.update("shop", **wish, envs={"COLOUR": "red"})
        view = await cloud.until("shop", is_over)
        assert not before & {each.id for each in view.instances}
        assert (max(up), min(ready)) == (most, fewest)
        assert (await cloud.call("shop")).text.endswith("red")

    play(scenario)


def test_one_that_does_not_start_fails_with_the_reason_and_can_be_mended(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("shop", envs={"BREAK": "1"})
        view = await cloud.until_status("shop", Status.FAILED)
        assert "RuntimeError: broken on purpose" in view.reason
        refused = await cloud.call("shop")
        assert refused.status_code == 503
        assert "broken on purpose" in refused.text
        lines = await cloud.controller.log_lines("shop", 200)
        assert any("service is made" in line.text for line in lines)
        assert {"image"} < {line.source for line in lines}
        cloud.update("shop")
        await cloud.until_status("shop", Status.RUNNING)
        # An update that does not start: what ran before goes on answering.
        cloud.update("shop", envs={"BREAK": "1"})
        view = await cloud.until_status("shop", Status.FAILED)
        assert view.healthy
        assert (await cloud.call("shop")).status_code == 200

    play(scenario)


def test_terminate_start_delete_and_the_same_name_again(play: Callable[[Scenario], None]) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("shop")
        view = await cloud.until_status("shop", Status.RUNNING)
        cloud.store.deployments.terminate("shop")
        cloud.controller.changed("shop")
        assert cloud.controller.view("shop").status is Status.TERMINATING
        await cloud.until_status("shop", Status.TERMINATED)
        assert (await cloud.call("shop")).status_code == 503
        cloud.store.deployments.start("shop")
        cloud.controller.changed("shop")
        assert cloud.controller.view("shop").status is Status.DEPLOYING
        again = await cloud.until_status("shop", Status.RUNNING)
        assert again.url == view.url
        logs = cloud.settings.home.logs / "deployments" / "shop"
        assert len(list(logs.iterdir())) == 2
        cloud.store.deployments.delete("shop")
        cloud.controller.changed("shop")
        assert cloud.controller.views() == []
        with pytest.raises(KeyError):
            cloud.controller.view("shop")
        cloud.create("shop", least=0, envs={"COLOUR": "new"})
        await cloud.until_status("shop", Status.SCALED_TO_ZERO)
        assert (await cloud.call("shop")).text.endswith("new")
        kinds = [event.kind for event in cloud.store.events.since(0) if event.name == "shop"]
        assert kinds.count("deployment-deleted") == 1
        assert len(list(logs.iterdir())) == 1

    play(scenario)


def test_what_the_cloud_cannot_install_is_refused_with_the_reason(
    play: Callable[[Scenario], None], tmp_path: Path
) -> None:
    greedy = build_bento(
        tmp_path, SOURCE, version="v2", docker={"system_packages": ["ffmpeg"], "distro": "debian"}
    )
    missing = build_bento(tmp_path, SOURCE, version="v3", packages=["no-such-package-bj==9.9"])

    async def scenario(cloud: Cloud) -> None:
        cloud.push(greedy, "v2")
        cloud.push(missing, "v3")
        cloud.create("greedy", "v2")
        cloud.create("missing", "v3")
        view = await cloud.until_status("greedy", Status.IMAGE_BUILD_FAILED)
        assert "system packages ffmpeg" in view.reason
        view = await cloud.until_status("missing", Status.IMAGE_BUILD_FAILED)
        assert "no-such-package-bj" in view.reason
        assert "no-such-package-bj" in (await cloud.call("missing")).text
        lines = [line async for line in cloud.controller.image_log("tested:v3")]
        assert any("no-such-package-bj" in line for line in lines)

    play(scenario)


def test_a_gateway_that_cannot_be_started_is_started_when_it_can_be(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    async def has_failed() -> bool:
        return "cannot be started" in caplog.text

    async def scenario() -> None:
        home.logs.touch()  # where its log should go
        plane = DataPlane(home, "127.0.0.1", lambda message: None, lambda: None)
        opening = asyncio.create_task(plane.open())
        await eventually(has_failed, lambda: caplog.text)
        home.logs.unlink()
        await opening
        assert plane.pid is not None
        await plane.close()

    asyncio.run(scenario())


def test_a_gateway_that_is_killed_is_replaced_without_touching_instances(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("shop")
        view = await cloud.until_status("shop", Status.RUNNING)
        assert (await cloud.call("shop")).status_code == 200
        await cloud.until("shop", lambda new: new.requests == 1)  # the gateway has said so
        (gateway,) = [
            process
            for process in psutil.Process().children()
            if "bento_jupyter.cloud.gateway" in process.cmdline()
        ]
        gateway.kill()

        async def answers() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return (await cloud.call("shop")).status_code == 200
            return False

        await eventually(answers, lambda: "the gateway is not back")
        new = await cloud.until("shop", lambda new: new.requests >= 2)
        assert pids(new) == pids(view)

    play(scenario)


def test_a_port_that_is_taken_is_said_and_had_when_it_is_free(play: Callable[[Scenario], None]) -> None:
    async def scenario(cloud: Cloud) -> None:
        port = free_deployment_port(cloud.settings, [])
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", port))
            other.listen()
            cloud.create("shop", port=port)
            view = await cloud.until_status("shop", Status.UNHEALTHY)
            assert f"port {port} is taken" in view.reason
        await cloud.until_status("shop", Status.RUNNING)
        assert (await cloud.call("shop")).status_code == 200

    play(scenario)


def test_a_new_run_brings_deployments_back_and_ends_what_was_left(home: Home, bento: Path) -> None:
    async def first() -> str | None:
        async with cloud_of(home, bento) as cloud:
            cloud.create("shop")
            cloud.create("off")
            cloud.store.deployments.terminate("off")
            cloud.controller.changed("off")
            view = await cloud.until_status("shop", Status.RUNNING)
            await cloud.until_status("off", Status.TERMINATED)
            return view.url

    url = asyncio.run(first())
    # As if a killed cloud had left it: an instance that still has a supervisor.
    left = launch_replica(
        Path(sys.executable),
        home.cloud / "bentos" / "tested" / "v1",
        home.sockets / "left.sock",
        log=home.logs / "left.log",
        scratch=home.root / "left",
    )

    async def second() -> None:
        async with cloud_of(home, bento) as cloud:
            assert not psutil.pid_exists(left.pid)
            view = await cloud.until_status("shop", Status.RUNNING)
            assert view.url == url
            assert (await cloud.call("shop")).status_code == 200
            assert cloud.controller.view("off").status is Status.TERMINATED

    try:
        asyncio.run(second())
    finally:
        left.kill()


def test_what_was_there_can_be_called_the_moment_the_next_run_has_started(home: Home, bento: Path) -> None:
    async def scenario() -> list[int]:
        async with cloud_of(home, bento) as cloud:
            names = [f"shop-{number}" for number in range(20)]
            ports = [int((cloud.create(name, least=0).url or "").rpartition(":")[2]) for name in names]
            await asyncio.gather(*(cloud.until_status(name, Status.SCALED_TO_ZERO) for name in names))
        async with cloud_of(home, bento):
            closed = []
            for port in ports:
                with socket.socket() as caller:
                    if caller.connect_ex(("127.0.0.1", port)):
                        closed.append(port)
            return closed

    assert asyncio.run(scenario()) == []


def test_a_bento_whose_manifest_cannot_be_read_fails_its_deployment_alone(home: Home, bento: Path) -> None:
    async def scenario() -> None:
        async with cloud_of(home, bento) as cloud:
            cloud.push(bento, "v2")
            cloud.create("shop", "v2", least=0)
            cloud.create("other", least=0)
            cloud.push(bento, "v2", traffic="x")  # as an earlier cloud took it
            cloud.controller.bento_pushed("tested:v2")
            assert cloud.controller.view("shop").status is Status.FAILED
        async with cloud_of(home, bento) as cloud:
            view = await cloud.until_status("shop", Status.FAILED)
            assert "cannot be read: TypeError" in view.reason
            assert [each.name for each in cloud.controller.views()] == ["shop", "other"]
            await cloud.until_status("other", Status.SCALED_TO_ZERO)
            refused = await cloud.call("shop")
            assert (refused.status_code, "cannot be read" in refused.text) == (503, True)
            cloud.push(bento, "v2")
            cloud.controller.bento_pushed("tested:v2")
            await cloud.until_status("shop", Status.SCALED_TO_ZERO)
            assert (await cloud.call("shop")).status_code == 200

    asyncio.run(scenario())


def test_an_instance_that_takes_too_much_memory_is_ended_with_that_reason(home: Home, bento: Path) -> None:
    async def scenario() -> None:
        home.create()
        engine = ProcessEngine(home)
        await engine.open()
        try:
            spec = ReplicaSpec(
                id="greedy-abcd",
                deployment="greedy",
                bento=bento,
                service="",
                python=Path(sys.executable),
                envs={},
                cpu=1,
                memory_bytes=2**20,
                instance_type="tiny",
            )
            replica = await engine.start(spec)
            assert "instance type tiny has 1 MiB" in await asyncio.wait_for(replica.ended(), 30)
        finally:
            await engine.close()
        assert replica.process.process.returncode == -signal.SIGKILL

    asyncio.run(scenario())


def test_protected_deployments_learn_of_tokens(play: Callable[[Scenario], None]) -> None:
    async def scenario(cloud: Cloud) -> None:
        config = {**cloud.wish(least=0), "access_authorization": True}
        port = free_deployment_port(cloud.settings, [])
        cloud.store.deployments.create(
            name="safe", bento="tested:v1", config=config, port=port, creator="tests"
        )
        cloud.controller.changed("safe")
        await cloud.until_status("safe", Status.SCALED_TO_ZERO)
        assert (await cloud.call("safe")).status_code == 401
        record, token = cloud.store.tokens.create(name="guest")
        cloud.http.headers["Authorization"] = f"Bearer {token}"
        cloud.controller.changed("safe")

        async def has_status(wanted: int) -> bool:
            return (await cloud.call("safe")).status_code == wanted

        await eventually(lambda: has_status(200), lambda: "the new token is not accepted")
        cloud.store.tokens.delete(record.uid)
        cloud.controller.changed("safe")
        await eventually(lambda: has_status(401), lambda: "the deleted token is accepted")

    play(scenario)


def test_events_come_in_order_and_missed_ones_are_said(home: Home, bento: Path) -> None:
    async def scenario() -> None:
        async with cloud_of(home, bento) as cloud:
            feed = cloud.controller.events
            start = feed.last_id
            live = feed.subscribe()
            first = asyncio.ensure_future(live.__anext__())
            await asyncio.sleep(0)
            for number in range(3):
                feed.publish("bento", f"b{number}")
            seen = [await first, await live.__anext__(), await live.__anext__()]
            assert [event.id for event in seen] == [start + 1, start + 2, start + 3]
            late = feed.subscribe(after=start + 1)
            assert [(await late.__anext__()).name, (await late.__anext__()).name] == ["b1", "b2"]
            ahead = feed.subscribe(after=start + 1000)  # of a home that was made anew
            assert (await ahead.__anext__()).kind == "cloud"

    asyncio.run(scenario())


def test_logs_are_followed_over_instances(play: Callable[[Scenario], None]) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("shop")
        view = await cloud.until_status("shop", Status.RUNNING)
        sources = []
        async for line in cloud.controller.follow_log("shop"):
            if "service is made" in line.text:
                sources.append(line.source)
                if len(sources) == 2:
                    break
                os.kill(pids(view)[0], signal.SIGKILL)
        assert sources[0] == view.instances[0].id != sources[1]
        only = await cloud.controller.log_lines("shop", 100, view.instances[0].id)
        assert {line.source for line in only} == {view.instances[0].id}

    play(scenario)


KILLED = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from bento_jupyter.home import Home
from test_controller import cloud_of, pids
from bento_jupyter.spec import Status

async def main():
    async with cloud_of(Home(Path(sys.argv[1])), Path(sys.argv[2])) as cloud:
        cloud.create("shop")
        print(*pids(await cloud.until_status("shop", Status.RUNNING)), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def test_nothing_outlives_a_cloud_that_is_killed(home: Home, bento: Path) -> None:
    here = Path(__file__).parent
    command = [sys.executable, "-c", KILLED, str(home.root), str(bento), str(here), str(here.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as cloud:
        assert cloud.stdout is not None
        assert int(cloud.stdout.readline())
        children = psutil.Process(cloud.pid).children(recursive=True)
        assert len(children) >= 2  # gateway, instance, and a zygote when it is there already
        cloud.kill()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
