"""What every engine has to do, as tests: an engine's own module inherits them and says what the engine is.

    class TestProcesses(EngineContract):
        @pytest.fixture
        def make_engine(self, home): return lambda: ProcessEngine(home)

Instances are real Bentos. Nothing in here knows how an engine runs them: whoever has to (to kill one from
outside, say) asks the subclass.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import httpx
import pytest

from bento_jupyter.cloud.engines import Engine, Phase, ReplicaHandle, ReplicaSpec, ReplicaState
from bento_jupyter.errors import ReplicaStartError

DEADLINE = 60.0

SOURCE = """
import os, time
import bentoml

print("imported")

@bentoml.service
class Helper:
    @bentoml.api
    def double(self, number: int) -> int:
        return 2 * number

@bentoml.service
class Service:
    helper = bentoml.depends(Helper)

    def __init__(self):
        if os.environ.get("BREAK"):
            raise RuntimeError("broken on purpose")
        if os.environ.get("GREEDY_START"):
            self.kept = bytearray(100 * 2**30)

    @bentoml.api
    def sleep(self, seconds: float) -> str:
        time.sleep(seconds)
        return "slept"

    @bentoml.api
    def env(self, name: str) -> str:
        return os.environ.get(name, "<unset>")

    @bentoml.api
    def file(self, name: str) -> str:
        with open(os.path.join(os.environ["BENTOML_HOME"], name), encoding="utf-8") as file:
            return file.read()

    @bentoml.api
    def grab(self, mebibytes: int) -> int:
        self.kept = b"x" * (mebibytes << 20)
        return len(self.kept)

    @bentoml.api
    def double(self, number: int) -> int:
        return self.helper.double(number)

    @bentoml.api
    def leave(self, code: int) -> None:
        os._exit(code)
"""

ids = itertools.count()


async def call(handle: ReplicaHandle, path: str, **body: object) -> httpx.Response:
    """Ask an instance something, as the gateway would."""
    transport = httpx.AsyncHTTPTransport(uds=str(handle.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://replica", timeout=DEADLINE) as http:
        return await http.post(path, json=body)


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds."""
    deadline = asyncio.get_running_loop().time() + DEADLINE
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, what
        await asyncio.sleep(0.02)


def plain_spec(bento: Path, python: Path, **changes: object) -> ReplicaSpec:
    """An instance of the deployment `shop`, with an id of its own."""
    plain = ReplicaSpec(
        id=f"shop-{next(ids):04d}",
        deployment="shop",
        bento=bento,
        service="",
        python=python,
        envs={},
        cpu=1,
        memory_bytes=2 * 2**30,
        instance_type="cpu.1",
    )
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


class EngineContract:
    """The contract; a subclass has the fixtures `make_engine`, `bento` and `python`."""

    @pytest.fixture
    def spec(self, bento: Path, python: Path) -> Callable[..., ReplicaSpec]:
        """Makes descriptions of instances, each with an id of its own."""

        def make(**changes: object) -> ReplicaSpec:
            return plain_spec(bento, python, **changes)

        return make

    @pytest.fixture
    def play(self, make_engine: Callable[[], Engine]) -> Play:
        """Runs a scenario with an engine that is open."""

        def run(scenario: Callable[[Engine], Awaitable[None]]) -> None:
            async def whole() -> None:
                async with opened(make_engine()) as engine:
                    await scenario(engine)

            asyncio.run(whole())

        return run

    def test_says_what_it_has(self, play: Play) -> None:
        async def scenario(engine: Engine) -> None:
            nodes = engine.capacity()
            assert len({node.name for node in nodes}) == len(nodes) > 0
            for node in nodes:
                assert node.name
                assert node.cpus > 0
                assert node.memory_bytes > 0
                assert 0 <= node.free_gpus <= node.gpus

        play(scenario)

    def test_an_instance_lives_from_its_start_to_its_end(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            assert list(engine.observe()) == []
            wanted = spec(envs={"COLOUR": "green"}, files={"secrets/key": b"s3cret"})
            handle = await engine.start(wanted)
            seen = handle.observe()
            assert (seen.id, seen.deployment) == (wanted.id, "shop")
            assert seen.phase in (Phase.PENDING, Phase.STARTING, Phase.READY)
            cold_start = await asyncio.wait_for(handle.ready(), DEADLINE)
            assert cold_start.seconds > 0
            assert cold_start.phases
            assert list(engine.observe()) == [handle.observe()]
            seen = handle.observe()
            assert (seen.phase, seen.reason) == (Phase.READY, "")
            assert seen.node in {node.name for node in engine.capacity()}
            assert (await call(handle, "/env", name="COLOUR")).text == "green"
            assert (await call(handle, "/file", name="secrets/key")).text == "s3cret"
            assert (await call(handle, "/double", number=4)).text == "8"
            await until(lambda: bool(handle.observe().memory_bytes), "its memory is not measured")
            await handle.stop(5)
            assert list(engine.observe()) == []
            assert handle.observe().phase is Phase.ENDED
            assert await asyncio.wait_for(handle.ended(), 1) == handle.observe().reason != ""
            with pytest.raises(httpx.TransportError):
                await call(handle, "/env", name="COLOUR")
            await handle.stop(5)  # again: does nothing

        play(scenario)

    def test_a_request_may_wait_for_the_start(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handle = await engine.start(spec())
            assert (await call(handle, "/double", number=2)).text == "4"
            await handle.stop(1)

        play(scenario)

    def test_a_stop_lets_requests_finish_within_its_grace(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handle = await engine.start(spec())
            await handle.ready()
            await call(handle, "/env", name="X")
            asked = asyncio.create_task(call(handle, "/sleep", seconds=1.0))
            await asyncio.sleep(0.3)  # it is under way; nothing tells
            await handle.stop(30)
            assert (await asked).text == "slept"

        play(scenario)

    def test_a_stop_ends_what_does_not_finish(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handle = await engine.start(spec())
            await handle.ready()
            asked = asyncio.create_task(call(handle, "/sleep", seconds=600))
            await asyncio.sleep(0.3)
            before = asyncio.get_running_loop().time()
            await handle.stop(0.5)
            assert asyncio.get_running_loop().time() - before < 10
            with pytest.raises(httpx.TransportError):
                await asked

        play(scenario)

    def test_one_that_is_stopped_while_it_starts_leaves_nothing(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handle = await engine.start(spec())
            ready = asyncio.ensure_future(handle.ready())
            await handle.stop(0)
            with pytest.raises(ReplicaStartError):
                await asyncio.wait_for(ready, DEADLINE)
            assert list(engine.observe()) == []

        play(scenario)

    def test_a_failed_start_is_told_with_its_traceback(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            wanted = spec(envs={"BREAK": "1"})
            handle = await engine.start(wanted)
            with pytest.raises(ReplicaStartError) as caught:
                await asyncio.wait_for(handle.ready(), DEADLINE)
            assert caught.value.message == "RuntimeError: broken on purpose"
            assert "in __init__" in caught.value.traceback
            assert await asyncio.wait_for(handle.ended(), DEADLINE)
            assert [each.phase for each in engine.observe()] == [Phase.ENDED]  # until it is stopped
            await handle.stop(0)
            assert list(engine.observe()) == []

        play(scenario)

    def test_an_unexpected_end_is_told(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handle = await engine.start(spec())
            await handle.ready()
            with contextlib.suppress(httpx.TransportError):
                await call(handle, "/leave", code=7)
            assert "code 7" in await asyncio.wait_for(handle.ended(), DEADLINE)
            assert handle.observe().phase is Phase.ENDED
            await handle.stop(0)

        play(scenario)

    def test_too_much_memory_is_the_reason_of_its_end(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handle = await engine.start(spec(memory_bytes=500 * 2**20, instance_type="small"))
            await handle.ready()
            with contextlib.suppress(httpx.TransportError):
                await call(handle, "/grab", mebibytes=600)
            reason = await asyncio.wait_for(handle.ended(), DEADLINE)
            assert "out of memory" in reason
            assert "instance type small has 500 MiB" in reason
            await handle.stop(0)

        play(scenario)

    def test_a_start_that_needs_too_much_memory_says_so(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handle = await engine.start(spec(envs={"GREEDY_START": "1"}))
            with pytest.raises(ReplicaStartError, match=r"out of memory .* cpu\.1 has 2 GiB"):
                await asyncio.wait_for(handle.ready(), DEADLINE)
            await handle.stop(0)

        play(scenario)

    def test_logs_outlive_the_instance(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            wanted = spec(envs={"BREAK": "1"})
            handle = await engine.start(wanted)
            with pytest.raises(ReplicaStartError):
                await handle.ready()
            await handle.stop(0)
            log = engine.logs("shop") / f"{wanted.id}.log"
            assert log.parent.parent == engine.logs()
            text = log.read_text()
            assert "imported" in text or engine.prepared()  # a fork has imported it before
            assert "broken on purpose" in text

        play(scenario)

    def test_services_call_each_other_where_they_are_told(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            helper = await engine.start(spec(service="Helper"))
            service = await engine.start(spec(service="Service", remotes={"Helper": helper.socket}))
            await helper.ready()
            await service.ready()
            assert (await call(service, "/double", number=21)).text == "42"
            await helper.stop(1)
            assert (await call(service, "/double", number=21)).status_code >= 500
            await service.stop(1)

        play(scenario)

    def test_more_gpus_than_there_are_are_refused(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            most = max(node.gpus for node in engine.capacity())
            with pytest.raises(ReplicaStartError, match=f"{most + 1} GPUs"):
                await engine.start(spec(gpus=most + 1, instance_type="gpu.large"))
            assert list(engine.observe()) == []

        play(scenario)

    def test_gpus_are_handed_out_once_and_waited_for_in_order(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            [node] = [node for node in engine.capacity() if node.gpus >= 2]
            first = await engine.start(spec(gpus=node.gpus - 1))
            second = await engine.start(spec(gpus=2))
            third = await engine.start(spec(gpus=1))  # it would fit, but the one before it waits
            fourth = await engine.start(spec())  # needs none
            await first.ready()
            await fourth.ready()
            assert [each.observe().phase for each in (second, third)] == [Phase.PENDING, Phase.PENDING]
            assert "GPU" in second.observe().reason
            visible = (await call(first, "/env", name="CUDA_VISIBLE_DEVICES")).text.split(",")
            assert tuple(visible) == first.observe().gpus
            assert len(visible) == node.gpus - 1
            assert (await call(fourth, "/env", name="CUDA_VISIBLE_DEVICES")).text == ""
            assert sum(each.free_gpus for each in engine.capacity()) == 1
            await first.stop(1)
            await asyncio.wait_for(second.ready(), DEADLINE)
            assert len(second.observe().gpus) == 2
            assert held_once(engine.observe())
            await third.stop(1)
            await second.stop(1)
            assert sum(each.free_gpus for each in engine.capacity()) == node.gpus
            await fourth.stop(1)

        play(scenario)

    def test_one_that_waits_can_be_stopped(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            [node] = [node for node in engine.capacity() if node.gpus >= 2]
            first = await engine.start(spec(gpus=node.gpus))
            second = await engine.start(spec(gpus=1))
            ready = asyncio.ensure_future(second.ready())
            await second.stop(5)
            with pytest.raises(ReplicaStartError):
                await ready
            await first.stop(0)
            assert sum(each.free_gpus for each in engine.capacity()) == node.gpus
            assert list(engine.observe()) == []

        play(scenario)

    def test_what_is_prepared_starts_and_is_let_go(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            first = await engine.start(spec())
            await first.ready()
            await first.stop(5)
            engine.prepare("shop/main", spec())
            engine.prepare("shop/main", spec())  # again: does nothing
            second = await engine.start(spec())
            await second.ready()
            await until(
                lambda: all("shop/main" in each.users for each in engine.prepared()), "it belongs to others"
            )
            engine.release("shop/main")
            assert all("shop/main" not in each.users for each in engine.prepared())
            engine.release("shop/main")
            assert (await call(second, "/double", number=1)).text == "2"
            await second.stop(5)

        play(scenario)

    def test_several_at_once_are_each_their_own(self, play: Play, spec: MakeSpec) -> None:
        async def scenario(engine: Engine) -> None:
            handles = await asyncio.gather(*(engine.start(spec(envs={"N": str(n)})) for n in range(4)))
            await asyncio.gather(*(handle.ready() for handle in handles))
            assert len({handle.socket for handle in handles}) == len(handles) == len(engine.observe())
            texts = [(await call(handle, "/env", name="N")).text for handle in handles]
            assert texts == ["0", "1", "2", "3"]
            await asyncio.gather(*(handle.stop(5) for handle in handles))
            assert list(engine.observe()) == []

        play(scenario)

    def test_its_end_is_the_end_of_what_was_not_stopped(
        self, make_engine: Callable[[], Engine], spec: MakeSpec
    ) -> None:
        async def scenario() -> None:
            async with opened(make_engine()) as engine:
                handle = await engine.start(spec())
                await handle.ready()
                pid = handle.observe().pid
            with pytest.raises(httpx.TransportError):
                await call(handle, "/env", name="X")
            if pid is not None:
                with pytest.raises(ProcessLookupError):
                    os.kill(pid, 0)

        asyncio.run(scenario())


Play = Callable[[Callable[[Engine], Awaitable[None]]], None]
MakeSpec = Callable[..., ReplicaSpec]


@contextlib.asynccontextmanager
async def opened(engine: Engine) -> AsyncIterator[Engine]:
    """An engine while it works."""
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


def held_once(states: Sequence[ReplicaState]) -> bool:
    """Whether no two instances have the same GPU."""
    every = [gpu for state in states for gpu in state.gpus]
    return len(every) == len(set(every))
