"""Starts, watches and stops one replica: a process of `replica.py` in a Bento's own environment.

Synchronous and free of asyncio, so that a proof in a notebook kernel and the cloud's engine use the same
code: what was proven is what serves. Protocol: docs/architecture.md, "The replica program".
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from .errors import ReplicaStartError
from .zygote import ForkedProcess, Zygote

__all__ = [
    "REPLICA_PROGRAM",
    "ReplicaProcess",
    "StartedProcess",
    "bind",
    "launch_replica",
    "log_tail",
    "serving_envs",
    "zygote_envs",
]

#: The program that a replica runs.
REPLICA_PROGRAM = Path(__file__).with_name("replica.py")
#: What a replica gets of this process's environment; everything else is left out.
INHERITED_ENVS = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR")
#: Variables that BLAS and OpenMP libraries read for their number of threads.
THREAD_ENVS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
BACKLOG = 2048


class StartedProcess(Protocol):
    """What is like a `subprocess.Popen` to those who wait for it: not a child, so to be let go in the end."""

    pid: int

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; gives its exit code (negative: the signal that ended it)."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def release(self) -> None:
        """Nobody will ask about it any more."""
        ...


class ReplicaProcess:
    """A replica that was started.

    Attributes:
        process: The process, leader of a process group of its own.
        socket_path: Unix socket it serves on; connections may be made from the start and wait in its backlog.
        report_fd: Non-blocking descriptor of its reports, for `loop.add_reader`; -1 after it was closed.
        phases: Seconds per phase of its start so far: `process`, `imports`, `load`, `ready`, in this order.
        error: Last line of its traceback when its start failed, else "".
        traceback: The whole traceback.
        log: File with its stdout and stderr.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes] | StartedProcess,
        *,
        socket_path: Path,
        report_fd: int,
        lifeline_fd: int,
        scratch: Path,
        log: Path,
        order_fd: int = -1,
    ) -> None:
        self.process = process
        self.socket_path = socket_path
        self.report_fd = report_fd
        self.phases: dict[str, float] = {}
        self.error = ""
        self.traceback = ""
        self.log = log
        self._lifeline_fd = lifeline_fd
        self._order_fd = order_fd
        self._scratch = scratch
        self._buffer = b""
        self._elapsed = 0.0
        self._closing = threading.Lock()

    @property
    def pid(self) -> int:
        """Its process id, also the id of its process group."""
        return self.process.pid

    @property
    def ready(self) -> bool:
        """True once the service's instance has been created and requests are answered."""
        return "ready" in self.phases

    @property
    def out_of_memory(self) -> bool:
        """Whether the kernel has ended it because it used too much memory. Only known of containers."""
        return False

    def feed(self) -> bool:
        """Read the reports that have come, without waiting.

        Returns:
            True when no more will come: it is ready, has failed, or has ended.
        """
        while self.report_fd >= 0:
            try:
                chunk = os.read(self.report_fd, 65536)
            except BlockingIOError:
                return False
            self._buffer += chunk
            *lines, self._buffer = self._buffer.split(b"\n")
            for line in lines:
                self._take(json.loads(line))
            if not chunk:
                self._close_report()
        return True

    def order(self, bento: Path, *, service: str = "") -> None:
        """Tell a replica that was started without one which Bento to serve.

        Args:
            bento: Folder of the Bento.
            service: Service to serve; "" = the entry service.
        """
        message = json.dumps({"bento": str(bento.resolve()), "service": service}) + "\n"
        with contextlib.suppress(BrokenPipeError):  # it has ended: `wait_ready` says why
            os.write(self._order_fd, message.encode())
        self._close_order()

    def wait_ready(self, timeout: float = 120.0) -> dict[str, float]:
        """Wait until it is ready.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Seconds per phase of the start; their sum is the cold start.

        Raises:
            ReplicaStartError: It failed, ended or was not ready in time. It is not stopped by that.
        """
        deadline = time.monotonic() + timeout
        while not self.feed():
            left = deadline - time.monotonic()
            if left <= 0:
                raise ReplicaStartError(
                    f"the Bento was not ready after {timeout:g} s (last phase: {self.last_phase})",
                    hint=f"its log: {self.log}",
                    log=log_tail(self.log),
                )
            select.select([self.report_fd], [], [], left)
        if not self.ready:
            raise self.start_error()
        return dict(self.phases)

    @property
    def last_phase(self) -> str:
        """The newest phase that is over; "start" when none is."""
        return next(reversed(self.phases), "start")

    def start_error(self) -> ReplicaStartError:
        """Why it did not become ready; waits for its end, which is near when `feed` has returned True."""
        try:
            code = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = None
        reason = self.error or describe_exit(code)
        return ReplicaStartError(
            f"the Bento did not start: {reason}",
            hint=f"its log: {self.log}",
            traceback=self.traceback,
            log=log_tail(self.log),
        )

    def stop(self, grace: float = 10.0) -> int:
        """Let it finish its requests and end; kill it when it takes longer than `grace` seconds.

        Returns:
            Its exit code (negative: the signal that ended it).
        """
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=grace)
        return self.kill()

    def kill(self) -> int:
        """End it and all processes it started, now; removes its socket and scratch folder.

        Returns:
            Its exit code (negative: the signal that ended it).
        """
        # The group outlives its leader as long as one of its processes lives: kill it in any case. Its id
        # cannot have been taken by others while the leader is not reaped or the group has a member.
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # what was forked just now has no group of its own yet
            self.process.kill()
        except PermissionError:  # it is another user's, as seen from here
            with contextlib.suppress(PermissionError):
                self.process.kill()
        code = self.process.wait()
        with self._closing:
            self._close_report()
            self._close_order()
            if self._lifeline_fd >= 0:
                os.close(self._lifeline_fd)
                self._lifeline_fd = -1
            if not isinstance(self.process, subprocess.Popen):
                self.process.release()
        self.socket_path.unlink(missing_ok=True)
        shutil.rmtree(self._scratch, ignore_errors=True)
        return code

    def __enter__(self) -> ReplicaProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _take(self, message: dict[str, object]) -> None:
        if message["phase"] == "failed":
            self.error = str(message.get("error") or "")
            self.traceback = str(message.get("traceback") or "")
            return
        elapsed = float(str(message["seconds"]))
        self.phases[str(message["phase"])] = round(elapsed - self._elapsed, 6)
        self._elapsed = elapsed

    def _close_order(self) -> None:
        if self._order_fd >= 0:
            os.close(self._order_fd)
            self._order_fd = -1

    def _close_report(self) -> None:
        if self.report_fd >= 0:
            os.close(self.report_fd)
            self.report_fd = -1


def launch_replica(
    python: Path,
    bento: Path | None,
    socket_path: Path,
    *,
    service: str = "",
    imports: Iterable[str] = (),
    envs: Mapping[str, str] | None = None,
    log: Path,
    scratch: Path,
    cpus: float | None = None,
    hidden: Iterable[Path] = (),
    kept: Iterable[Path] = (),
    remotes: Mapping[str, Path] | None = None,
    zygote: Zygote | None = None,
    record: Path | None = None,
) -> ReplicaProcess:
    """Start a replica of a Bento; returns at once, see `ReplicaProcess.wait_ready`.

    Args:
        python: Interpreter of the Bento's environment.
        bento: Folder of the Bento; None = it warms up until `ReplicaProcess.order` names one.
        socket_path: Where to bind the Unix socket; a file that is there is replaced.
        service: Service to serve; "" = the entry service. What it depends on runs in the same process,
            unless `remotes` names it.
        imports: Modules to import while it warms up; those that cannot be imported are passed over.
        envs: Environment variables, on top of a clean set. `BENTOML_HOME` in it decides where models that
            the Bento does not contain are looked for (default: nowhere, an empty folder).
        log: File that gets its stdout and stderr, appended.
        scratch: Folder of its own for metrics, task results and temporary BentoML files; removed at its end.
        cpus: CPU share; limits the threads of BLAS and OpenMP libraries. None = no limit.
        hidden: Folders whose files its Python code does not find, as they will not be there elsewhere.
        kept: Folders in `hidden` that it does find.
        remotes: Services that are called at these Unix sockets instead of run in the same process.
        zygote: Forks it, when it can; else it is a new interpreter.
        record: File into which it writes the modules that it has imported, for a zygote to come.

    Returns:
        The replica. Stop it with `stop()`, or use it as a context manager.

    Example:
        >>> with launch_replica(python, bento, sock, log=log, scratch=tmp) as replica:  # doctest: +SKIP
        ...     replica.wait_ready(60)
    """
    # The replica has another working folder. A resolved interpreter would have left its environment.
    python, scratch = python.absolute(), scratch.absolute()
    for folder in (socket_path.parent, log.parent, scratch / "bentoml", scratch / "metrics"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    listener = bind(socket_path)
    report_read, report_write = os.pipe()
    lifeline_read, lifeline_write = os.pipe()
    os.set_blocking(report_read, False)
    order_read, order_write = os.pipe() if bento is None else (-1, -1)
    if bento is None:
        what: dict[str, object] = {"imports": list(imports), "order_fd": order_read}
    else:
        what = {"bento": str(bento.resolve()), "service": service}
    if remotes:
        what["remotes"] = {name: path.absolute().as_uri() for name, path in remotes.items()}
    if record is not None:
        what["record"] = str(record.absolute())
    closed = {"hidden": [str(path.resolve()) for path in hidden], "kept": [str(path) for path in kept]}
    settings: dict[str, object] = {
        **what,
        **(closed if closed["hidden"] else {}),
        "started": time.monotonic(),
    }
    descriptors = {"socket_fd": listener.fileno(), "report_fd": report_write, "lifeline_fd": lifeline_read}
    all_envs = replica_envs(python, scratch, envs or {}, cpus)
    process: subprocess.Popen[bytes] | ForkedProcess | None = None
    try:
        with log.open("ab") as output:
            if zygote is not None and zygote.is_warm:
                with contextlib.suppress(OSError):  # a zygote that is just ending: it is started anew
                    process = zygote.fork(settings, all_envs, [*descriptors.values(), output.fileno()])
            if process is None:
                # The kernel's "parent died" signal is tied to the starting thread: only the main one lives
                # as long.
                is_main = threading.current_thread() is threading.main_thread()
                settings |= {**descriptors, "parent": os.getpid() if is_main else None}
                process = subprocess.Popen(
                    [str(python), "-I", "-u", str(REPLICA_PROGRAM), json.dumps(settings)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=scratch if bento is None else bento.resolve(),
                    env=all_envs,
                    start_new_session=True,
                    pass_fds=[fd for fd in (*descriptors.values(), order_read) if fd >= 0],
                )
    except BaseException:
        os.close(report_read)
        os.close(lifeline_write)
        if order_write >= 0:
            os.close(order_write)
        socket_path.unlink(missing_ok=True)
        raise
    finally:
        listener.close()
        os.close(report_write)
        os.close(lifeline_read)
        if order_read >= 0:
            os.close(order_read)
    return ReplicaProcess(
        process,
        socket_path=socket_path,
        report_fd=report_read,
        lifeline_fd=lifeline_write,
        scratch=scratch,
        log=log,
        order_fd=order_write,
    )


def bind(path: Path) -> socket.socket:
    """A listening Unix socket at `path` that only this user can connect to."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def replica_envs(python: Path, scratch: Path, envs: Mapping[str, str], cpus: float | None) -> dict[str, str]:
    """The whole environment of a replica: a clean set, BentoML's folders, thread limits, then `envs`."""
    clean = {name: os.environ[name] for name in INHERITED_ENVS if name in os.environ}
    clean["PATH"] = os.pathsep.join([str(python.parent), clean.get("PATH", os.defpath)])
    clean["VIRTUAL_ENV"] = str(python.parent.parent)
    return {**clean, **serving_envs(scratch, cpus), **envs}


def serving_envs(scratch: Path, cpus: float | None) -> dict[str, str]:
    """What a replica is told by variables wherever it runs: BentoML's folders, limits of threads."""
    given = {
        "BENTOML_HOME": str(scratch / "bentoml"),
        "PROMETHEUS_MULTIPROC_DIR": str(scratch / "metrics"),
        "BENTOML_RESULT_STORE": str(scratch / "results.db"),
        "BENTOML_DO_NOT_TRACK": "True",
    }
    if cpus is not None:
        given.update(dict.fromkeys(THREAD_ENVS, str(max(1, math.ceil(cpus)))))
    return given


def zygote_envs(python: Path, scratch: Path, envs: Mapping[str, str]) -> dict[str, str]:
    """The environment of a zygote: as a replica's, but all pools of threads begin after the fork."""
    (scratch / "bentoml").mkdir(mode=0o700, parents=True, exist_ok=True)
    (scratch / "metrics").mkdir(mode=0o700, exist_ok=True)
    return replica_envs(python, scratch, {**envs, **dict.fromkeys(THREAD_ENVS, "1")}, None)


def describe_exit(code: int | None) -> str:
    """An exit code in words."""
    if code is None:
        return "it reported nothing and did not end"
    if code >= 0:
        return f"it ended with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    return f"it was ended by signal {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def log_tail(log: Path, lines: int = 30) -> str:
    """The last lines of a log file; "" when there is none."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, handle.seek(0, os.SEEK_END) - 200 * lines))
            text = handle.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
