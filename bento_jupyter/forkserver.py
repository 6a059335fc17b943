"""The program of a zygote: imports what Bentos import, once, and forks a replica on each order.

Run by path with the interpreter of an environment, like `replica.py` beside it, and like that of the
standard library alone. How it is spoken to: docs/architecture.md, "Zygotes".

It stays one thread that waits for orders: what forks may be no running event loop, and nobody else may hold a
lock at that time. Pools of BLAS and OpenMP threads begin after the fork.
"""

from __future__ import annotations

import atexit
import contextlib
import copy
import gc
import importlib
import importlib.util
import io
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

__all__ = ["main"]

#: Largest message: the settings and environment variables of one replica.
MESSAGE_BYTES = 1 << 20
#: Threads of allocators (pyarrow's), which stop and begin again around a fork by themselves.
FORK_SAFE_THREADS = frozenset({"jemalloc_bg_thd"})
#: Descriptors of an order, in this order.
DESCRIPTORS = ("socket_fd", "report_fd", "lifeline_fd", "log_fd")

#: A Bento's description with a bit of everything.
REHEARSED = """
{service: "service:Rehearsal", name: rehearsal, version: v1, bentoml_version: 1.4.0, labels: {}, spec: 2,
 creation_time: "2024-01-01T00:00:00+00:00", entry_service: rehearsal, envs: [{name: A, value: b}],
 schema: {}, models: [{tag: "a:b", module: m, creation_time: "2024-01-01T00:00:00+00:00"}], args: {},
 services: [{name: rehearsal, service: "", dependencies: [], config: {},
             models: [{tag: "a:b", module: m, creation_time: "2024-01-01T00:00:00+00:00"}]}],
 image: {base_image: b, python_version: "3.11", python_requirements: "", commands: [], post_commands: []}}
"""


class Zygote:
    """Waits for orders, forks, and tells which children have ended.

    A child that has ended stays a zombie until the supervisor says so: until then its process id, which is
    that of its group too, belongs to nobody else.

    Args:
        control: Sequenced-packet socket to the supervisor; its end is the end of the zygote.
        replica: The module `replica.py`.
    """

    def __init__(self, control: socket.socket, replica: Any) -> None:
        self._control = control
        self._replica = replica
        self._children: set[int] = set()
        self._retired = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)

    def work(self) -> None:
        """Until the supervisor is gone."""
        self._tell({"ready": True, "threads": threads()})
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
                self._tell_ended()
            if self._control.fileno() in ready and not self._take():
                return
            if self._retired and not self._children:
                return

    def _take(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, len(DESCRIPTORS))
        if not data:
            return False
        order = json.loads(data)
        if "retire" in order:
            self._retired = True
            return True
        if "reap" in order:
            if order["reap"] in self._children:
                self._children.remove(order["reap"])
                os.waitpid(order["reap"], 0)
            return True
        try:
            self._fork(order, dict(zip(DESCRIPTORS, descriptors, strict=True)))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _fork(self, order: dict[str, Any], descriptors: dict[str, int]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._tell({"id": order["id"], "error": str(error)})
            return
        if pid == 0:
            self._become_replica(order, descriptors)
        self._children.add(pid)
        self._tell({"id": order["id"], "pid": pid})

    def _become_replica(self, order: dict[str, Any], descriptors: dict[str, int]) -> None:
        """What a child does; it never returns into the zygote."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.setsid()
            self._control.close()
            os.close(self._wake_read)
            os.close(self._wake_write)
            log = descriptors.pop("log_fd")
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            os.environ.clear()
            os.environ.update(order["envs"])
            os.chdir(order["settings"]["bento"])
            reseed()
            set_threads(int(order["envs"].get("OMP_NUM_THREADS") or 0))
            self._replica.main(json.dumps({**order["settings"], **descriptors}))
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        except BaseException:
            traceback.print_exc()
        finally:
            # The zygote's own way out is not this process's; what the Bento registered is.
            with contextlib.suppress(BaseException):
                threading._shutdown()  # type: ignore[attr-defined]
                atexit._run_exitfuncs()
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _tell_ended(self) -> None:
        for pid in sorted(self._children):
            with contextlib.suppress(ChildProcessError):
                found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if found is not None:
                    code = found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
                    self._tell({"ended": pid, "code": code})

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the supervisor is gone: the next read says so
            self._control.send(json.dumps(message).encode())


def threads() -> int:
    """How many threads the operating system sees in this process, without those that know about forks."""
    names = []
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{thread}/comm", encoding="utf-8") as file:
            names.append(file.read().strip())
    return sum(name not in FORK_SAFE_THREADS for name in names)


def reseed() -> None:
    """Random numbers of libraries that do not see the fork: without this all children draw the same."""
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.seed()


def set_threads(wanted: int) -> None:
    """Let BLAS and OpenMP have more than the one thread that they were loaded with.

    Args:
        wanted: Their number; 0 = as many as the machine has CPUs.
    """
    wanted = wanted or os.cpu_count() or 1
    if wanted == 1:
        return
    with contextlib.suppress(Exception):  # they stay with one: slower, not wrong
        threadpoolctl = importlib.import_module("threadpoolctl")
        threadpoolctl.threadpool_limits(wanted)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(wanted)


def load_replica() -> Any:
    """The module `replica.py`, which lies beside this file."""
    path = Path(__file__).with_name("replica.py")
    spec = importlib.util.spec_from_file_location("bento_jupyter_replica", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def warm_up(modules: list[str]) -> None:
    """Import what replicas will import, and build what BentoML builds the same each time."""
    import _bentoml_impl.server.app  # noqa: F401
    import uvicorn.lifespan.on
    import uvicorn.protocols.http.auto
    import uvicorn.protocols.websockets.auto  # noqa: F401

    with contextlib.suppress(Exception):  # private, and built anew by a replica that lacks it
        from bentoml._internal.container import BentoMLContainer

        BentoMLContainer.config.get()  # defaults, from YAML: the same each time
    for prepare in (keep_default_config, rehearse):
        with contextlib.suppress(Exception):  # private as well
            prepare()
    for module in modules:
        with contextlib.suppress(BaseException):  # what a Bento really needs, it will import by itself
            importlib.import_module(module)


def keep_default_config() -> None:
    """Let BentoML read and check its default configuration once, instead of in each child.

    What a Bento makes of it is checked there as ever.
    """
    from bentoml._internal.configuration import containers

    default = containers.get_default_config
    kept = {version: default(version) for version in (1, 2)}

    def get_default_config(version: int) -> dict[str, Any]:
        return copy.deepcopy(kept[version]) if version in kept else default(version)

    containers.get_default_config = get_default_config


def rehearse() -> None:
    """Load a Bento that does not exist: cattrs and pydantic generate code when it is first needed."""
    import bentoml
    from bentoml._internal.bento.bento import BaseBentoInfo

    BaseBentoInfo.from_yaml_file(io.StringIO(REHEARSED))

    class Rehearsal:
        @bentoml.api  # type: ignore[untyped-decorator]
        def rehearse(self, x: list[float], y: str = "") -> dict[str, float]:
            return {}

    bentoml.service(Rehearsal)


def main(argument: str) -> None:
    """Be a zygote as the JSON `argument` says.

    Args:
        argument: `{"control_fd": n, "imports": path of a file with a JSON list of modules, "home": of whom}`.
    """
    settings = json.loads(argument)
    os.set_inheritable(settings["control_fd"], False)
    control = socket.socket(fileno=settings["control_fd"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replica = load_replica()
    replica.use_speedups()
    warm_up(json.loads(Path(settings["imports"]).read_text(encoding="utf-8")))
    gc.collect()
    gc.freeze()  # what was imported lives for ever: never touch, and so never copy, its pages again
    Zygote(control, replica).work()


if __name__ == "__main__":
    main(sys.argv[1])
