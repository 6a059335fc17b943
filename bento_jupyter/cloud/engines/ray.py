"""Instances on the nodes of a Ray cluster. Ray places them; everything else is ours, as on this machine.

Nothing of Ray is imported here: an agent goes to the cluster as a Ray Job, by HTTP (`ray_dashboard`). What
runs there is `ray_nodes`; it dials this engine: one that is started again at the same place is found again.
The gateway reaches an instance by a Unix socket on this machine, whose connections are passed on to the door
of the instance: a node that is silent is cut off here, and what was asked there goes elsewhere at once.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import logging
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import CloudError, ReplicaStartError
from ...home import Home
from ...views import ZygoteView
from ..logs import cap_log
from .engine import Node, ReplicaSpec, ReplicaState
from .memory import memory_words
from .ray_agent import AgentJob, Known
from .ray_dashboard import Dashboard
from .ray_nodes.store import tree_key
from .ray_nodes.wire import (
    BEAT,
    LINE_LIMIT,
    dialling,
    fits,
    listening,
    receive,
    send,
    splice,
    token_of,
)
from .ray_package import Origin, build_package, send_archive
from .ray_replica import Link, RayReplica
from .ray_tls import certificate_of, make_credentials

if TYPE_CHECKING:
    from ..settings import CloudSettings

__all__ = ["RayEngine", "RayReplica"]

logger = logging.getLogger(__name__)

#: Signs of life that may be missing before a node counts as silent.
MISSED = 7
#: Seconds that a node is avoided after it was silent.
SUSPICION = 60.0
#: The same for one where what holds an instance was killed: the node may be going, which Ray notices late.
DOUBT = 20.0
#: Seconds after which it is said why an instance has no node yet, or that its node does not come forward.
ROOM_TIMEOUT, COMING_TIMEOUT = 2.0, 15.0
#: Seconds that instances of an earlier run get to come forward, and then to be taken over.
RETURN_TIMEOUT, ADOPTION_TIMEOUT = 5.0, 30.0
#: Seconds that who dials may take to say who it is.
HELLO_TIMEOUT = 10.0
#: Seconds that connections get to end when the engine does.
CLOSE_TIMEOUT = 5.0
#: Seconds between looks at the logs.
LOG_INTERVAL = 5.0


class RayEngine:
    """Runs instances on the nodes of a Ray cluster.

    Args:
        home: Where sockets and logs are, and what is known of an earlier run.
        dashboard: The cluster.
        nodes: Its nodes, as the dashboard tells of them.
        version: Its version of Ray.
        credentials: PEM file with the certificate that this cloud and its nodes show each other, and its
            key; None = they speak without TLS.

    Attributes:
        keeps_agent: Leave the agent on the cluster at the end, so that the next run need not start one; it
            ends by itself when none comes.
        agent: What places instances.
        tls: How to connect to the doors of instances; None = without TLS.
    """

    def __init__(
        self,
        home: Home,
        dashboard: Dashboard,
        nodes: list[dict[str, Any]],
        version: str,
        credentials: Path | None = None,
    ) -> None:
        self.keeps_agent = False
        self._home = home
        self._dashboard = dashboard
        self._version = version
        self._credentials = credentials
        self.tls = dialling(certificate_of(credentials)) if credentials else None
        self._nodes: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}
        self._note_nodes(
            {
                "id": node["node_id"],
                "name": node["node_name"],
                "ip": node["node_ip"],
                "total": node["resources_total"],
                "free": node["resources_total"],
            }
            for node in nodes
        )
        self._known = Known.read(self._file)
        self.agent = AgentJob(dashboard, self._known, self._remember)
        self._replicas: dict[str, RayReplica] = {}
        #: Instances of an earlier run, until somebody takes them over.
        self._left: dict[str, Link] = {}
        #: Those with GPUs that have none yet, first come, first served: only the first is given to Ray.
        self._queue: list[RayReplica] = []
        self._suspects: dict[str, float] = {}
        self._doubts: dict[str, float] = {}
        self._came = asyncio.Event()
        self._control = ("", 0)
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._connections: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    @classmethod
    def connect(cls, settings: CloudSettings) -> RayEngine:
        """The engine of the cluster that the settings name, which is asked whether it lets us in.

        Raises:
            CloudError: It does not, cannot be reached, or has no node for instances.
        """
        dashboard = Dashboard(settings.ray_address, settings.ray_token.get_secret_value(), settings.ray_ca)
        version = dashboard.version()
        credentials = make_credentials(settings.home.cloud / "ray.pem") if settings.ray_tls else None
        engine = cls(settings.home, dashboard, dashboard.nodes(), version, credentials)
        if not engine.capacity():
            raise CloudError(
                f"the Ray cluster at {dashboard.address} has no node with CPUs",
                hint="add one: ray start --address HEAD:6379",
            )
        return engine

    async def open(self) -> None:
        """Listen to the cluster; instances of an earlier run come forward, to be taken over."""
        self._home.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        host = address_towards(node["ip"] for node in self._nodes.values())
        try:
            self._server = await self._listen(host, self._known.port)
        except OSError:  # somebody else has that port now: those who dial it are lost
            self._server = await self._listen(host, 0)
        self._control = host, int(self._server.sockets[0].getsockname()[1])
        self._known.port = self._control[1]
        self._remember()
        self.agent.package = build_package(
            {
                "host": self._control[0],
                "port": self._control[1],
                "token": self.token_of("agent"),
                "namespace": f"bento-jupyter-{self._known.cloud}",
                "certificate": certificate_of(self._credentials) if self._credentials else "",
            }
        )
        loop = asyncio.get_running_loop()
        deadline = loop.time() + RETURN_TIMEOUT
        while set(self._known.replicas) - set(self._left) and loop.time() < deadline:
            self._came.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._came.wait(), deadline - loop.time())
        self._tasks = [
            asyncio.create_task(each)
            for each in (self._beat(), self.agent.mind(), self._mind_logs(), self._end_left())
        ]

    async def _listen(self, host: str, port: int) -> asyncio.Server:
        return await asyncio.start_server(
            self._serve, host, port, limit=LINE_LIMIT, ssl=listening(self._credentials)
        )

    def capacity(self) -> list[Node]:
        """The nodes that have CPUs for instances; see `Engine.capacity`."""
        held: dict[str, int] = {}
        for replica in self._replicas.values():
            if replica.node and not replica.has_ended:
                held[replica.node] = held.get(replica.node, 0) + replica.spec.gpus
        found = []
        for key, node in self._nodes.items():
            total = node["total"]
            gpus = int(total.get("GPU", 0))
            models = [name.partition(":")[2] for name in total if name.startswith("accelerator_type:")]
            if total.get("CPU", 0) > 0:
                found.append(
                    Node(
                        name=self.node_name(key),
                        cpus=float(total["CPU"]),
                        memory_bytes=int(total.get("memory", 0)),
                        gpus=gpus,
                        free_gpus=max(0, gpus - held.get(key, 0)),
                        gpu_model=models[0] if models and gpus else "",
                    )
                )
        return found

    async def start(self, spec: ReplicaSpec) -> RayReplica:
        """Start an instance, or take over one like it that an earlier run has left.

        Raises:
            ReplicaStartError: It needs more GPUs than any node has, or an OCI image.
            OSError: What it is to run cannot be read.
        """
        if spec.image is not None:
            raise ReplicaStartError(
                "it runs in an OCI image, but the nodes of the Ray cluster run environments of Python only",
                hint="deploy it without an image of its own, or to a cloud that runs containers",
            )
        most = max((node.gpus for node in self.capacity()), default=0)
        if spec.gpus > most:
            raise ReplicaStartError(
                f"instance type {spec.instance_type} has {spec.gpus} GPUs; no node of the Ray cluster has "
                f"more than {most or 'none'}"
            )
        order = await asyncio.to_thread(make_order, spec)
        order["credentials"] = self._credentials.read_text() if self._credentials else ""
        digest = hashlib.sha256(
            f"{self._known.secret}{spec.deployment}{json.dumps(order, sort_keys=True)}".encode()
        ).hexdigest()
        left = next((name for name in self._left if self._known.replicas.get(name) == digest), None)
        name = left or f"bc/{spec.deployment}/{spec.id}"
        # The path of a socket may have 103 bytes, an id alone has up to 68: hence the digest.
        path = self._home.sockets / f"{hashlib.sha256(spec.id.encode()).hexdigest()[:16]}.sock"
        replica = RayReplica(spec, name, path, order, self)
        await replica.open()
        self._replicas[name] = replica
        self._known.replicas[name] = digest
        self._remember()
        if left is not None:
            replica.attach(self._left.pop(left))
        elif spec.gpus:
            self._queue.append(replica)
            if len(self._queue) == 1:
                self._place(replica)
        else:
            self._place(replica)
        return replica

    def observe(self) -> list[ReplicaState]:
        """All instances; see `Engine.observe`."""
        return [each.observe() for each in self._replicas.values()]

    def logs(self, deployment: str = "") -> Path:
        """Folder of the logs, which come here from the nodes; see `Engine.logs`."""
        return self._home.logs / "deployments" / deployment

    def prepare(self, name: str, spec: ReplicaSpec) -> None:
        """Nothing is kept warm on the nodes."""

    def release(self, name: str) -> None:
        """Nothing is kept warm on the nodes."""

    def prepared(self) -> list[ZygoteView]:
        """Nothing is kept warm on the nodes."""
        return []

    async def close(self) -> None:
        """End all instances, and the agent."""
        await asyncio.gather(*(each.stop(0) for each in list(self._replicas.values())))
        for link in self._left.values():
            send(link.writer, {"op": "stop", "grace": 0})
        if not self.keeps_agent:
            await self.agent.end()
        self._known.replicas.clear()
        self._remember()
        await self.abandon()
        with contextlib.suppress(OSError):  # proofs have sockets there, too
            self._home.sockets.rmdir()

    async def abandon(self) -> None:
        """Stop working, but leave everything as it is on the cluster, for a later run."""
        for task in self._tasks:
            task.cancel()
        if self._server is not None:
            self._server.close()
        for writer in list(self._connections):
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(writer.drain(), 1)
            writer.close()
        if self._serving:
            await asyncio.wait(self._serving, timeout=CLOSE_TIMEOUT)

    # What instances ask

    def token_of(self, name: str) -> str:
        """The token of the instance of this name, here and at its door."""
        return token_of(self._known.secret, name)

    def node_name(self, node: str) -> str:
        """How a node is called; one that is gone, by the beginning of its id."""
        return self._names.get(node) or node[:8]

    def waits_for(self, replica: RayReplica) -> str:
        """Why an instance is on no node yet."""
        if not self.agent.is_there:
            return self.agent.trouble or "the agent on the Ray cluster is being started"
        spec = replica.spec
        needs = f"{spec.cpu:g} CPU and {memory_words(spec.memory_bytes)}"
        if spec.gpus:
            which = "a GPU" if spec.gpus == 1 else f"{spec.gpus} GPUs"
            needs = f"{which}, {needs}"
            free = max((node.free_gpus for node in self.capacity()), default=0)
            if free < spec.gpus or (self._queue and self._queue[0] is not replica):
                return f"it waits for {which}: other instances have them"
        waited = asyncio.get_running_loop().time() - replica.begun
        if waited > ROOM_TIMEOUT and not any(has_room(node, spec) for node in self._nodes.values()):
            return f"it waits for room on the Ray cluster: no node has {needs} free"
        if waited > COMING_TIMEOUT:
            place = f"{self._control[0]}:{self._control[1]}"
            return f"its node has not come forward: nodes must be able to connect to {place} on this machine"
        return "it is given a node of the Ray cluster"

    async def stopped(self, replica: RayReplica) -> None:
        """An instance is not wanted any more: what holds its share of a node goes, too."""
        self._replicas.pop(replica.name, None)
        self._known.replicas.pop(replica.name, None)
        self._remember()
        self.agent.tell({"op": "kill", "name": replica.name, "actor": replica.actor})
        self._placed(replica)

    # The cluster

    def _place(self, replica: RayReplica) -> None:
        """Ask for a node, away from those that were silent lately, while there are others."""
        if not self.agent.is_there:
            return  # it is asked when it comes
        spec = replica.spec
        replica.avoided = self._to_avoid(spec)
        self.agent.tell(
            {
                "op": "place",
                "name": replica.name,
                "actor": replica.actor,
                "token": replica.token,
                "cpu": spec.cpu,
                "memory": spec.memory_bytes,
                "gpus": spec.gpus,
                "avoid": sorted(replica.avoided),
            },
        )

    def _to_avoid(self, spec: ReplicaSpec) -> set[str]:
        """Ids of the nodes that an instance is not to be placed on now."""
        now = asyncio.get_running_loop().time()
        self._suspects = {node: until for node, until in self._suspects.items() if until > now}
        others = [key for key, node in self._nodes.items() if node["total"].get("CPU", 0) > 0]
        avoid = set(self._suspects) if set(others) - set(self._suspects) else set()
        doubted = avoid | {node for node, until in self._doubts.items() if until > now}
        if any(has_room(node, spec) for key, node in self._nodes.items() if key not in doubted):
            avoid = doubted
        return avoid

    def _place_again(self) -> None:
        """Those that have no node yet may have one that was to be avoided and is not any more.

        Ray keeps to what it was told when an actor was asked for, so another one is asked for.
        """
        for replica in self._waiting():
            regained = replica.avoided - self._to_avoid(replica.spec)
            if any(has_room(self._nodes[node], replica.spec) for node in regained & set(self._nodes)):
                self.agent.tell({"op": "kill", "name": replica.name, "actor": replica.actor})
                replica.asked += 1
                self._place(replica)

    def _waiting(self) -> list[RayReplica]:
        """Those that Ray is to place."""
        later = self._queue[1:]
        return [
            each
            for each in self._replicas.values()
            if not (each.state or each.has_ended) and each not in later
        ]

    def _placed(self, replica: RayReplica) -> None:
        """An instance has its node, or needs none any more: the next one that waits for GPUs is asked for."""
        if replica in self._queue:
            was_first = self._queue[0] is replica
            self._queue.remove(replica)
            if was_first and self._queue:
                self._place(self._queue[0])

    def _place_all(self) -> None:
        """The agent is there: what has waited for it is placed."""
        for replica in self._waiting():
            self._place(replica)

    def _agent_says(self, message: dict[str, Any]) -> None:
        if message["op"] == "nodes":
            self._note_nodes(message["nodes"])
        elif message["op"] == "failed":
            failed = self._replicas.get(message["name"])
            if failed is not None and not failed.state and failed.actor == message["actor"]:
                failed.end(f"the Ray cluster cannot run it: {message['reason']}")
                self._placed(failed)

    def _note_nodes(self, nodes: Iterable[dict[str, Any]]) -> None:
        self._nodes = {node["id"]: node for node in nodes}
        every = [node["name"] for node in self._nodes.values()]
        for key, node in self._nodes.items():
            name = node["name"]
            self._names[key] = name if every.count(name) == 1 else f"{name}-{key[:4]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody dials: the agent, the runner of an instance, or one of its services."""
        self._connections.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            hello = await asyncio.wait_for(receive(reader), HELLO_TIMEOUT) or {}
            role, name = hello.get("role"), str(hello.get("name", "agent"))
            if not fits(hello.get("token"), self.token_of(name)):
                logger.warning("somebody without a token dials from %s", writer.get_extra_info("peername"))
            elif role == "agent" and name == "agent":
                await self.agent.serve(hello, reader, writer, self._place_all, self._agent_says)
            elif role == "replica":
                await self._serve_runner(name, reader, writer)
            elif name in self._replicas:
                await self._serve_instance(self._replicas[name], hello, reader, writer)
        except (OSError, asyncio.TimeoutError) as error:
            logger.info("a connection of the cluster ended: %s", error)
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _serve_runner(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        link: Link | None = None
        try:
            while (message := await receive(reader)) is not None:
                replica = self._replicas.get(name)
                if replica is None and name not in self._known.replicas:
                    send(writer, {"op": "stop", "grace": 0})
                elif message["op"] == "log" and replica is not None:
                    replica.write_log(base64.b64decode(message["text"]))
                elif message["op"] == "state" and link is None:
                    link = Link(message, writer)
                    self._suspects.pop(message["node"], None)
                    if replica is None:
                        self._left[name] = link
                        self._came.set()
                    else:
                        replica.attach(link)
                        self._placed(replica)
                elif message["op"] == "state" and link is not None:
                    link.state = message
                    if replica is not None and replica.link is link:
                        replica.take(message)
        finally:
            if link is not None:
                link.over.set()
                if self._left.get(name) is link:
                    del self._left[name]
                replica = self._replicas.get(name)
                if replica is not None and replica.link is link and await replica.link_lost():
                    self._doubts[replica.node] = asyncio.get_running_loop().time() + DOUBT

    async def _serve_instance(
        self,
        replica: RayReplica,
        hello: Mapping[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if hello["role"] == "fetch":
            environment = hello["what"] == "environment"
            folder = Origin(replica.spec.python).folder if environment else replica.spec.bento
            await send_archive(folder, writer, environment=environment)
        elif hello["role"] == "tunnel":
            path = replica.spec.remotes.get(str(hello.get("service")))
            if path is not None:
                await splice((reader, writer), await asyncio.open_unix_connection(str(path)))

    async def _beat(self) -> None:
        """Give signs of life, and notice whose are missing."""
        # Beats are counted, not seconds: this process, too, may have been held up.
        while True:
            await asyncio.sleep(BEAT)
            links = [each.link for each in self._replicas.values() if each.link] + list(self._left.values())
            for link in links:
                send(link.writer, {"op": "beat"})
            self.agent.tell({"op": "beat"})
            self._place_again()
            for replica in list(self._replicas.values()):
                if replica.state and not replica.has_ended:
                    replica.missed += 1
                    if replica.missed > MISSED:
                        self._silent(replica)

    def _silent(self, replica: RayReplica) -> None:
        now = asyncio.get_running_loop().time()
        self._suspects[replica.node] = now + SUSPICION
        name = self.node_name(replica.node)
        logger.warning("node %s is silent: %s has ended", name, replica.spec.id)
        replica.end(f"node {name} does not answer: nothing came from it for {MISSED * BEAT:g} s")
        replica.cut_off()

    async def _mind_logs(self) -> None:
        while True:
            await asyncio.sleep(LOG_INTERVAL)
            for replica in list(self._replicas.values()):
                await asyncio.to_thread(cap_log, replica.log)

    async def _end_left(self) -> None:
        """End the instances of an earlier run that nobody has taken over."""
        await asyncio.sleep(ADOPTION_TIMEOUT)
        for name in [name for name in self._known.replicas if name not in self._replicas]:
            logger.info("%s of an earlier run is not needed any more", name)
            if (link := self._left.pop(name, None)) is not None:
                send(link.writer, {"op": "stop", "grace": 0})
            self.agent.tell({"op": "kill", "name": name, "actor": name})
            self._known.replicas.pop(name)
        self._remember()

    @property
    def _file(self) -> Path:
        return self._home.cloud / "ray.json"

    def _remember(self) -> None:
        self._known.write(self._file)


def make_order(spec: ReplicaSpec) -> dict[str, Any]:
    """What the runner of an instance is told to do. Reads the disk."""
    origin = Origin(spec.python)
    return {
        "op": "run",
        "service": spec.service,
        "envs": dict(spec.envs),
        "files": {name: base64.b64encode(content).decode() for name, content in spec.files.items()},
        "cpu": spec.cpu,
        "memory": spec.memory_bytes,
        "gpus": spec.gpus,
        "instance_type": spec.instance_type,
        "remotes": {service: str(path) for service, path in spec.remotes.items()},
        "environment": origin.key,
        "origin": str(origin.folder),
        "python": origin.version,
        "bento": tree_key(spec.bento),
        "folder": str(spec.bento),
    }


def has_room(node: Mapping[str, Any], spec: ReplicaSpec) -> bool:
    """Whether a node has what an instance needs free, as far as is known."""
    free = node["free"]
    needed = {"CPU": spec.cpu, "memory": spec.memory_bytes, "GPU": spec.gpus}
    return all(free.get(name, 0) >= amount for name, amount in needed.items())


def address_towards(addresses: Iterable[str]) -> str:
    """This machine's address in the network of these."""
    for address in addresses:
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))  # sends nothing
            return str(probe.getsockname()[0])
    return "127.0.0.1"
