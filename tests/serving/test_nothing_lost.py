"""No request is lost, whatever happens to instances: real Bentos, instances, gateway and controller."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest
from built_bento import build_bento
from callers import SOURCE, Connection, Record, calling
from controlled_cloud import Cloud, cloud_of, eventually, pids

from bento_jupyter.home import Home
from bento_jupyter.spec import InstanceState, Status
from bento_jupyter.views import DeploymentView

#: Times that requests come in the moment an idle window ends: `make simulate` has more of them.
IDLE_ROUNDS = int(os.environ.get("BENTO_IDLE_ROUNDS", "24"))
IDLE_SECONDS = 0.3

Scenario = Callable[[Cloud], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bento(tmp_path_factory.mktemp("bento"), SOURCE)


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Environments that all tests share: they are content-addressed."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def play(tmp_path: Path, environments: Path, bento: Path) -> Callable[[Scenario], None]:
    """Play a scenario on a cloud of its own."""
    home = Home(tmp_path / "home")
    home.root.mkdir()
    home.environments.symlink_to(environments)

    async def run(scenario: Scenario) -> None:
        async with cloud_of(home, bento, IDLE_SECONDS) as cloud:
            await scenario(cloud)

    return lambda scenario: asyncio.run(run(scenario))


def concurrency(number: int) -> dict[str, Any]:
    return {"config_overrides": {"traffic": {"concurrency": number}}}


async def more_answers(record: Record, count: int = 20) -> None:
    """Wait until clients got some more answers."""
    wanted = len(record.answers) + count

    async def came() -> bool:
        return len(record.answers) >= wanted

    await eventually(came, lambda: (len(record.answers), record.wrong[:3]))


async def until_ready(cloud: Cloud, name: str, count: int) -> DeploymentView:
    """Wait until there are so many instances, all of them ready."""
    return await cloud.until(name, lambda view: view.ready == count == len(view.instances))


async def ask_at_once(url: str, connections: int, each: int, seconds: float = 0.0) -> Record:
    """Send many requests at once, on each connection all before the first answer."""
    record = Record()

    async def ask(first: int) -> None:
        connection = await Connection.to(url)
        for number in range(first, first + each):
            connection.send(number, seconds)
        for number in range(first, first + each):
            try:
                record.answers.append(await connection.answer(number))
            except (OSError, EOFError, IndexError) as error:
                record.lost.append(f"{number}: {error!r}")
        connection.close()

    await asyncio.gather(*(ask(index * each) for index in range(connections)))
    return record


def test_200_requests_at_once_at_zero_are_each_answered_in_their_clients_order(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("f", least=0, most=3, **concurrency(4))
        view = await cloud.until_status("f", Status.SCALED_TO_ZERO)
        record = await ask_at_once(str(view.url), connections=40, each=5, seconds=0.01)
        assert record.wrong == []
        assert len(record.answers) == 200
        at_rest = await until_ready(cloud, "f", 0)
        assert (at_rest.requests, at_rest.errors) == (200, 0)

    play(scenario)


def test_an_update_and_a_rollback_under_load_lose_nothing(play: Callable[[Scenario], None]) -> None:
    async def scenario(cloud: Cloud) -> None:
        wish = {"least": 2, "most": 2, **concurrency(2)}
        cloud.create("shop", envs={"COLOUR": "blue"}, **wish)
        view = await until_ready(cloud, "shop", 2)
        async with calling(str(view.url)) as record:
            await more_answers(record)
            for colour in ("red", "blue"):
                before = {each.id for each in cloud.controller.view("shop").instances}
                cloud.update("shop", envs={"COLOUR": colour}, **wish)
                await cloud.until(
                    "shop",
                    lambda view, before=before: (  # type: ignore[misc]
                        view.ready == 2 == len(view.instances)
                        and not before & {each.id for each in view.instances}
                    ),
                )
                await more_answers(record)
                assert {each.colour for each in record.answers[-5:]} == {colour}
        assert record.wrong == []

    play(scenario)


def test_switching_the_mode_under_load_loses_nothing(play: Callable[[Scenario], None]) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("shop", least=1)
        view = await until_ready(cloud, "shop", 1)
        async with calling(str(view.url)) as record:
            await more_answers(record)
            for least in (0, 1, 0):
                cloud.update("shop", least=least)
                await more_answers(record)
        assert record.wrong == []
        assert len({each.pid for each in record.answers}) == 1
        await until_ready(cloud, "shop", 0)
        # Online again while requests wait for the first instance, and the other way round.
        for least in (1, 0):
            asked = asyncio.ensure_future(ask_at_once(str(view.url), connections=10, each=2))
            cloud.update("shop", least=least)
            assert (await asked).wrong == []

    play(scenario)


def test_from_one_instance_to_four_and_back_under_load_loses_nothing(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("shop", most=4, **concurrency(1))
        view = await until_ready(cloud, "shop", 1)
        async with calling(str(view.url), clients=1) as steady:
            async with calling(str(view.url), clients=6, seconds=0.05) as burst:
                await until_ready(cloud, "shop", 4)
                await more_answers(burst)
            await until_ready(cloud, "shop", 1)
            await more_answers(steady)
        assert steady.wrong == []
        assert burst.wrong == []
        assert len({each.pid for each in burst.answers}) == 4

    play(scenario)


def test_killed_instances_under_load_lose_nothing(play: Callable[[Scenario], None]) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("shop", least=3, most=3, **concurrency(2))
        view = await until_ready(cloud, "shop", 3)
        async with calling(str(view.url), clients=6, seconds=0.05) as record:
            await more_answers(record)
            for _ in range(2):
                victim = pids(cloud.controller.view("shop"))[0]
                os.kill(victim, signal.SIGKILL)
                await cloud.until(
                    "shop",
                    lambda view, victim=victim: len(pids(view)) == 3 and victim not in pids(view),  # type: ignore[misc]
                )
                await more_answers(record)
            # All of them at once: what they had is done by those in their place.
            before = pids(cloud.controller.view("shop"))
            for victim in before:
                os.kill(victim, signal.SIGKILL)
            await cloud.until("shop", lambda view: len(set(pids(view)) - set(before)) == 3)
            await more_answers(record)
        assert record.wrong == []

    play(scenario)


def test_a_killed_gateway_is_replaced_at_its_port_and_its_callers_see_their_connections_end(
    play: Callable[[Scenario], None],
) -> None:
    def gateway() -> psutil.Process | None:
        of_us = (each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE)
        return next((each for each in of_us if "bento_jupyter.cloud.gateway" in each.cmdline()), None)

    async def scenario(cloud: Cloud) -> None:
        cloud.create("shop", least=2, most=2, **concurrency(2))
        url = str((await until_ready(cloud, "shop", 2)).url)
        instances = pids(cloud.controller.view("shop"))
        async with calling(url, clients=4, seconds=0.02) as record:
            await more_answers(record)
            killed = gateway()
            assert killed
            assert record.wrong == []
            killed.kill()
            await more_answers(record)
            another = gateway()
            assert another
            assert another.pid != killed.pid
        # What was under way ended with its connection; nothing was answered wrongly, no instance restarted.
        assert record.lost
        assert [each for each in record.answers if not each.is_right] == []
        view = cloud.controller.view("shop")
        assert (view.url, pids(view)) == (url, instances)

    play(scenario)


def test_an_instance_killed_while_it_starts_for_a_request_loses_nothing(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("f", least=0, envs={"START_SECONDS": "0.5"})
        view = await cloud.until_status("f", Status.SCALED_TO_ZERO)
        asked = asyncio.ensure_future(ask_at_once(str(view.url), connections=10, each=2))

        def starts(view: DeploymentView) -> bool:
            return any(each.pid and each.state is InstanceState.STARTING for each in view.instances)

        (first,) = (await cloud.until("f", starts)).instances
        assert first.pid
        os.kill(first.pid, signal.SIGKILL)
        record = await asked
        assert record.wrong == []
        assert len(record.answers) == 20
        assert first.pid not in {each.pid for each in record.answers}

    play(scenario)


def test_a_killed_zygote_loses_nothing_and_another_takes_its_place(play: Callable[[Scenario], None]) -> None:
    def zygotes() -> list[psutil.Process]:
        return [
            each
            for each in psutil.Process().children()
            if any(word.endswith("forkserver.py") for word in each.cmdline())
        ]

    async def scenario(cloud: Cloud) -> None:
        cloud.create("f", least=0, most=2, **concurrency(2))
        view = await cloud.until_status("f", Status.SCALED_TO_ZERO)
        url = str(view.url)

        async def forked() -> bool:
            """An instance came of a zygote: it was asked for with one there, and had nothing to import."""
            assert (await ask_at_once(url, connections=1, each=1)).wrong == []
            (instance, *_) = cloud.controller.view("f").instances
            assert instance.pid
            is_forked = any(word.endswith("forkserver.py") for word in psutil.Process(instance.pid).cmdline())
            if not is_forked:
                await until_ready(cloud, "f", 0)
            return is_forked

        await eventually(forked, zygotes)
        async with calling(url, clients=4, seconds=0.02) as record:
            await more_answers(record)
            for zygote in zygotes():  # its instances go on
                zygote.kill()
            await more_answers(record)
        assert record.wrong == []
        await until_ready(cloud, "f", 0)
        for zygote in zygotes():  # in the moment when one is to be forked
            zygote.kill()
        assert (await ask_at_once(url, connections=10, each=2)).wrong == []
        await until_ready(cloud, "f", 0)
        await eventually(forked, zygotes)

    play(scenario)


def test_requests_in_the_moment_when_the_idle_window_ends_are_answered(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(cloud: Cloud) -> None:
        cloud.create("f", least=0)
        view = await cloud.until_status("f", Status.SCALED_TO_ZERO)
        rounds = random.Random(5)
        seen = []
        connection = await Connection.to(str(view.url))
        for number in range(IDLE_ROUNDS):
            connection.send(number)
            answer = await connection.answer(number)
            assert answer.is_right, answer
            seen.append(answer.pid)
            # The instance is ended IDLE_SECONDS after its last request: before, then, or just after that.
            await asyncio.sleep(IDLE_SECONDS + rounds.uniform(-0.02, 0.06))
        connection.close()
        assert len(set(seen)) > 1, "no idle window has ended"
        at_rest = await until_ready(cloud, "f", 0)
        assert (at_rest.requests, at_rest.errors) == (IDLE_ROUNDS, 0)

    play(scenario)


def test_a_service_without_concurrency_gets_another_instance_when_its_cpu_is_used_up(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(cloud: Cloud) -> None:
        policy = {"scale_down_stabilization_window": 5}
        bounds = {"min_replicas": 1, "max_replicas": 2, "policy": policy}
        cloud.create("shop", envs={"BURN": "1"}, scaling=bounds)
        view = await until_ready(cloud, "shop", 1)
        async with calling(str(view.url), clients=2, seconds=0.05) as record:
            await until_ready(cloud, "shop", 2)
            await more_answers(record)
        assert record.wrong == []
        assert len({each.pid for each in record.answers}) == 2
        await until_ready(cloud, "shop", 1)

    play(scenario)
