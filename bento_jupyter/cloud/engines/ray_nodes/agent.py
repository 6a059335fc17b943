"""The agent: a Ray Job that places instances and tells what the cluster has. It holds nothing that matters.

It dials the control plane, again and again when that is restarted; when it ends, what it has placed goes on.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

from .supervisor import Supervisor
from .wire import BEAT, LINE_LIMIT, dialling, receive, send

__all__ = ["main"]

#: Seconds without a control plane after which it ends.
PATIENCE = 600.0


class Agent:
    """Does what the control plane says, as a driver of the cluster.

    Args:
        settings: What is in the package: where the control plane is, who this is.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._ray: Any = importlib.import_module("ray")
        self._state: Any = importlib.import_module("ray._private.state")
        self._ray.init(namespace=settings["namespace"], log_to_driver=False)
        self._actor: Any = self._ray.remote(Supervisor)
        self._placed: dict[str, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._watches: set[asyncio.Task[None]] = set()
        #: Names that Ray is being asked to place, and those of them that are to be killed all the same.
        self._placing: set[str] = set()
        self._overtaken: set[str] = set()
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Serve until the control plane says that it is over, or is not there any more."""
        heard = time.monotonic()
        while time.monotonic() - heard < PATIENCE:
            try:
                reader, writer = await asyncio.open_connection(
                    self._settings["host"],
                    self._settings["port"],
                    limit=LINE_LIMIT,
                    ssl=dialling(self._settings["certificate"]),
                )
            except OSError:
                await asyncio.sleep(2 * BEAT)
                continue
            hello = {"role": "agent", "token": self._settings["token"], "package": self._settings["package"]}
            about = {"ray": self._ray.__version__, "python": platform.python_version()}
            send(writer, {**hello, **about})
            self._writer = writer
            reports = asyncio.create_task(self._report(writer))
            try:
                while (message := await receive(reader)) is not None:
                    heard = time.monotonic()
                    if message["op"] == "end":
                        await asyncio.gather(*self._tasks)
                        return
                    if message["op"] == "beat":
                        continue
                    task = asyncio.create_task(self._act(message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            finally:
                self._writer = None
                reports.cancel()
                writer.close()
            await asyncio.sleep(BEAT)

    async def _act(self, message: dict[str, Any]) -> None:
        name, actor_name = str(message["name"]), str(message["actor"])
        if message["op"] == "kill":
            if actor_name in self._placing:
                self._overtaken.add(actor_name)
            await asyncio.to_thread(self._kill, actor_name)
            return
        self._placing.add(actor_name)
        try:
            actor = await asyncio.to_thread(self._place, actor_name, message)
        except Exception as error:  # whatever Ray refuses: it is the instance's reason
            self._failed(name, actor_name, error)
            return
        finally:
            self._placing.discard(actor_name)
        if actor_name in self._overtaken:  # it was not there yet to be killed
            self._overtaken.discard(actor_name)
            await asyncio.to_thread(self._kill, actor_name)
            return
        watch = asyncio.create_task(self._watch(name, actor_name, actor))
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)

    async def _watch(self, name: str, actor_name: str, actor: Any) -> None:
        """Say when an actor does not come up, or ends: the control plane knows whether that was to be."""
        try:
            await actor.__ray_ready__.remote()
            await actor.over.remote()
        except Exception as error:  # whatever Ray finds
            self._failed(name, actor_name, error)

    def _failed(self, name: str, actor_name: str, error: Exception) -> None:
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else type(error).__name__
        if self._writer is not None:
            send(self._writer, {"op": "failed", "name": name, "actor": actor_name, "reason": reason})

    def _place(self, name: str, message: dict[str, Any]) -> Any:
        options: dict[str, Any] = {
            "name": name,
            "lifetime": "detached",
            "max_restarts": 0,
            "num_cpus": message["cpu"],
            "memory": message["memory"],
            "num_gpus": message["gpus"],
            "scheduling_strategy": "SPREAD",
            "get_if_exists": True,
        }
        if message["avoid"]:
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(message['avoid'])})"}
        self._placed[name] = self._actor.options(**options).remote(
            {
                "name": message["name"],
                "token": message["token"],
                "certificate": self._settings["certificate"],
                "control": [self._settings["host"], self._settings["port"]],
            }
        )
        return self._placed[name]

    def _kill(self, name: str) -> None:
        try:
            actor = self._placed.pop(name, None) or self._ray.get_actor(name)
            self._ray.kill(actor)
        except Exception:
            return  # there is none, or none any more: that is what was wanted

    async def _report(self, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                send(writer, {"op": "nodes", "nodes": await asyncio.to_thread(self._nodes)})
            except Exception as error:  # whatever Ray finds now, it may not find the next time
                sys.stderr.write(f"cannot tell of the nodes: {error!r}\n")
            await asyncio.sleep(2 * BEAT)

    def _nodes(self) -> list[dict[str, Any]]:
        free = self._state.available_resources_per_node()
        return [
            {
                "id": node["NodeID"],
                "name": node["NodeName"],
                "ip": node["NodeManagerAddress"],
                "total": node["Resources"],
                "free": free.get(node["NodeID"], {}),
            }
            for node in self._ray.nodes()
            if node["Alive"]
        ]


def main() -> None:
    """Run the agent; its settings lie beside it in the package."""
    settings = json.loads(Path("settings.json").read_text(encoding="utf-8"))
    asyncio.run(Agent(settings).run())


if __name__ == "__main__":
    main()
