"""The agent: a Ray Job that places instances and tells what the cluster has. It holds nothing that matters.

It dials the control plane, again and again when that is restarted; when it ends, what it has placed goes on.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import platform
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
            reports = asyncio.create_task(self._report(writer))
            try:
                while (message := await receive(reader)) is not None:
                    heard = time.monotonic()
                    if message["op"] == "end":
                        await asyncio.gather(*self._tasks)
                        return
                    if message["op"] == "beat":
                        continue
                    task = asyncio.create_task(self._act(message, writer))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            finally:
                reports.cancel()
                writer.close()
            await asyncio.sleep(BEAT)

    async def _act(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        name, actor_name = str(message["name"]), str(message["actor"])
        if message["op"] == "kill":
            await asyncio.to_thread(self._kill, actor_name)
            return
        try:
            actor = await asyncio.to_thread(self._place, actor_name, message)
            await actor.__ray_ready__.remote()
        except Exception as error:  # whatever Ray refuses or finds: it is the instance's reason
            lines = [line for line in str(error).splitlines() if line.strip()]
            reason = lines[-1].strip() if lines else type(error).__name__
            send(writer, {"op": "failed", "name": name, "actor": actor_name, "reason": reason})

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
            send(writer, {"op": "nodes", "nodes": await asyncio.to_thread(self._nodes)})
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
