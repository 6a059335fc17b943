"""The engine `ray` passes the contract on a real cluster of three nodes; and what only it does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from built_bento import build_bento
from contract import DEADLINE, SOURCE, EngineContract, MakeSpec, Play, call, opened, plain_spec, until
from ray_cluster import RayCluster

from bento_jupyter.cloud.engines import Engine, Phase, make_engine
from bento_jupyter.cloud.engines.ray import RayEngine
from bento_jupyter.cloud.engines.ray_replica import RayReplica
from bento_jupyter.cloud.settings import CloudSettings
from bento_jupyter.environments import prepare
from bento_jupyter.errors import CloudError, CloudUnreachableError, EnvironmentBuildError, NotLoggedInError
from bento_jupyter.home import Home

TOKEN = "a-token-of-the-cluster-with-many-letters"


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("kept"))
    home.create()
    return home


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bento(tmp_path_factory.mktemp("bento"), SOURCE)


@pytest.fixture(scope="module")
def python(kept_home: Home) -> Path:
    return prepare(kept_home, "bentoml==1.4.39\n").python


@pytest.fixture(scope="module")
def cluster(kept_home: Home) -> Iterator[RayCluster]:
    try:
        running = RayCluster.start(kept_home, TOKEN)
    except EnvironmentBuildError as error:
        pytest.skip(f"there is no Ray for this Python here: {error.message}")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    home.create()
    return home


@pytest.fixture(scope="module")
def make(cluster: RayCluster, home: Home) -> Callable[[], Engine]:
    """Makes engines that share one agent, which takes longest to start."""
    settings = CloudSettings(home=home, engine="ray", ray_address=cluster.address, ray_token=TOKEN)

    def connect() -> Engine:
        engine = make_engine(settings)
        assert isinstance(engine, RayEngine)
        engine.keeps_agent = True
        return engine

    async def warm_up() -> None:
        async with opened(connect()) as engine:
            assert isinstance(engine, RayEngine)
            await asyncio.wait_for(engine.agent.there(), 4 * DEADLINE)

    asyncio.run(warm_up())
    return connect


class TestRay(EngineContract):
    """Instances on the nodes of the cluster."""

    @pytest.fixture
    def make_engine(self, make: Callable[[], Engine]) -> Callable[[], Engine]:
        return make

    def test_they_are_spread_over_the_nodes(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handles = [await engine.start(spec()) for _ in range(2)]
            await asyncio.gather(*(each.ready() for each in handles))
            assert len({each.observe().node for each in handles}) == 2
            await asyncio.gather(*(each.stop(0) for each in handles))

        play(scenario)

    def test_one_without_room_waits_and_says_for_what(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handle = await engine.start(spec(cpu=64))
            await until(lambda: "no node has 64 CPU" in handle.observe().reason, "it does not say why")
            assert handle.observe().phase is Phase.PENDING
            await handle.stop(0)

        play(scenario)

    def test_nobody_gets_in_without_the_token_of_the_instance(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handle = await engine.start(spec())
            assert isinstance(handle, RayReplica)
            await handle.ready()
            for greeting in (b"POST /env HTTP/1.1\r\nHost: x\r\n\r\n", b"0" * 64 + b"\n\r\n"):
                reader, writer = await asyncio.open_connection(handle.state["host"], handle.state["door"])
                writer.write(greeting)
                assert await reader.read() == b""
                writer.close()
            await handle.stop(0)

        play(scenario)

    def test_what_is_killed_is_told_and_leaves_nothing(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handles = [await engine.start(spec()) for _ in range(3)]
            await asyncio.gather(*(each.ready() for each in handles))
            pids = [pid_of(each) for each in handles]
            runner = psutil.Process(pids[1]).parent()
            assert runner is not None
            os.kill(pids[0], signal.SIGKILL)  # the instance
            runner.kill()  # what watches it
            actor_of(pids[2]).kill()  # what holds its share of the node
            reasons = [await asyncio.wait_for(each.ended(), DEADLINE) for each in handles]
            assert "SIGKILL" in reasons[0]
            assert all("was killed" in reason for reason in reasons[1:])
            await until(lambda: not any(map(psutil.pid_exists, pids)), "there are orphans")
            await asyncio.gather(*(each.stop(0) for each in handles))

        play(scenario)

    def test_a_silent_node_is_cut_off(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handle = await engine.start(spec())
            await handle.ready()
            node, pid = handle.observe().node, pid_of(handle)
            runner = psutil.Process(pid).parent()
            assert runner is not None
            asked = asyncio.create_task(call(handle, "/sleep", seconds=600))
            await asyncio.sleep(0.3)  # it is under way; nothing tells
            runner.suspend()
            assert "does not answer" in await asyncio.wait_for(handle.ended(), 10)
            with pytest.raises(httpx.TransportError):
                await asked
            other = await engine.start(spec())  # away from that node
            await other.ready()
            assert other.observe().node != node
            await handle.stop(0)
            runner.resume()
            await until(lambda: not psutil.pid_exists(pid), "it goes on when it is back")
            await other.stop(0)

        play(scenario)

    def test_what_an_earlier_run_left_is_taken_over_or_ended(
        self, make: Callable[[], Engine], spec: MakeSpec
    ) -> None:
        async def scenario() -> None:
            async with opened(make()) as first:
                handle = await first.start(spec(envs={"COLOUR": "blue"}))
                stray = await first.start(spec(envs={"COLOUR": "grey"}))
                await handle.ready()
                await stray.ready()
                pid = pid_of(handle)
                await first.abandon()  # type: ignore[attr-defined]
                async with opened(make()) as second:
                    again = await second.start(spec(envs={"COLOUR": "blue"}))
                    await asyncio.wait_for(again.ready(), 5)
                    assert pid_of(again) == pid
                    assert (await call(again, "/env", name="COLOUR")).text == "blue"
                    other = await second.start(spec(envs={"COLOUR": "red"}))
                    await other.ready()
                    assert pid_of(other) != pid_of(stray)
                assert not psutil.pid_exists(pid)
                await until(lambda: not psutil.pid_exists(pid_of(stray)), "the stray goes on")

        asyncio.run(scenario())


def test_what_cannot_be_used_is_said_at_once(cluster: RayCluster, home: Home) -> None:
    def refused(kind: type[CloudError], **told: object) -> str:
        with pytest.raises(kind) as caught:
            make_engine(CloudSettings.model_validate({"home": home, "engine": "ray", **told}))
        return caught.value.message

    assert "it wants a token" in refused(NotLoggedInError, ray_address=cluster.address)
    wrong = refused(NotLoggedInError, ray_address=cluster.address, ray_token="x")
    assert "the token is not the cluster's" in wrong
    assert "does not answer" in refused(CloudUnreachableError, ray_address="http://127.0.0.1:9")


def test_with_tls_nothing_is_said_in_the_clear(
    cluster: RayCluster, tmp_path: Path, bento: Path, python: Path
) -> None:
    home = Home(tmp_path / "home")
    home.create()
    settings = CloudSettings(
        home=home, engine="ray", ray_address=cluster.address, ray_token=TOKEN, ray_tls=True
    )
    spec = plain_spec(bento, python)

    async def scenario() -> None:
        async with opened(make_engine(settings)) as engine:
            handle = await engine.start(spec)
            assert isinstance(handle, RayReplica)
            await asyncio.wait_for(handle.ready(), 4 * DEADLINE)
            assert (await call(handle, "/double", number=4)).text == "8"
            reader, writer = await asyncio.open_connection(handle.state["host"], handle.state["door"])
            writer.write(handle.token.encode() + b"\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"HTTP" not in await reader.read()
            writer.close()
            await handle.stop(1)

    asyncio.run(scenario())


def pid_of(handle: object) -> int:
    """Process of an instance: the cluster is on this machine."""
    assert isinstance(handle, RayReplica)
    return int(handle.state["pid"])


def actor_of(pid: int) -> psutil.Process:
    """The process of the actor that holds the lifeline of an instance's runner."""
    runner = psutil.Process(pid).parent()
    assert runner is not None
    lifeline = os.readlink(f"/proc/{runner.pid}/fd/0")
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != runner.pid and lifeline in (
                os.readlink(entry.path) for entry in os.scandir(f"/proc/{process.pid}/fd")
            ):
                return process
    raise AssertionError(f"nobody holds {lifeline}")
