"""A zygote, from the side of its supervisor: a warm process of an environment that forks replicas.

Linux only: elsewhere forking a process that has imported scientific libraries is not safe.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["FORKSERVER_PROGRAM", "ForkedProcess", "Zygote", "can_fork"]

#: The program that a zygote runs.
FORKSERVER_PROGRAM = Path(__file__).with_name("forkserver.py")
MESSAGE_BYTES = 1 << 20
#: Seconds that a fork may take.
FORK_TIMEOUT = 10.0


def can_fork() -> bool:
    """Whether zygotes can be had on this machine."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


class ForkedProcess:
    """A replica that a zygote forked; like a `subprocess.Popen` to those who wait for it.

    Args:
        pid: Its process id.
        zygote: Its parent.
    """

    def __init__(self, pid: int, zygote: Zygote) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._zygote = zygote
        self._pidfd = os.pidfd_open(pid)  # also tells of its end when the zygote is dead
        self._waiting = threading.Lock()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Returns:
            Its exit code (negative: the signal that ended it).

        Raises:
            subprocess.TimeoutExpired: It has not ended within `timeout` seconds.
        """
        if self.returncode is not None:
            return self.returncode
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        if not poll.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired("replica", timeout or 0)
        with self._waiting:
            if self.returncode is None:
                self.returncode = self._zygote.exit_code(self.pid)
            return self.returncode

    def terminate(self) -> None:
        """Ask it to end.

        Raises:
            ProcessLookupError: It is gone.
        """
        if self.returncode is None:
            signal.pidfd_send_signal(self._pidfd, signal.SIGTERM)

    def release(self) -> None:
        """Nobody will ask about it any more: its process id may belong to another."""
        if self._pidfd >= 0:
            self._zygote.reap(self.pid)
            os.close(self._pidfd)
            self._pidfd = -1


class Zygote:
    """A process that has imported what Bentos of one environment import, and forks them.

    Args:
        python: Interpreter of the environment.
        imports: File with a JSON list of the modules to import.
        envs: Its environment variables, whole: what is read at import is read from these.
        log: File that gets its stdout and stderr, appended.
        home: Home of the cloud that it belongs to, to be known by after a crash.
    """

    def __init__(self, python: Path, imports: Path, envs: Mapping[str, str], log: Path, home: Path) -> None:
        self.python = python
        self.threads = 0
        self._ids = itertools.count()
        self._answers: dict[int, dict[str, Any]] = {}
        self._codes: dict[int, int] = {}
        #: Orders that nobody waits for any more, and children of such orders.
        self._abandoned: set[int] = set()
        self._unwanted: set[int] = set()
        self._news = threading.Condition()
        self._closed = False
        self._retired = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        settings = {"control_fd": theirs.fileno(), "imports": str(imports), "home": str(home)}
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with log.open("ab") as output:
                self.process = subprocess.Popen(
                    [str(python), "-I", "-u", str(FORKSERVER_PROGRAM), json.dumps(settings)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=dict(envs),
                    start_new_session=True,
                    pass_fds=[theirs.fileno()],
                )
        except BaseException:
            self._control.close()
            raise
        finally:
            theirs.close()
        threading.Thread(target=self._listen, name="zygote", daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def is_warm(self) -> bool:
        """Whether it can fork now."""
        return self.threads == 1 and not self._closed and not self._retired

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or cannot fork: what it imports has started threads."""
        return self._closed or self.threads > 1

    @property
    def has_ended(self) -> bool:
        """Whether its process is gone."""
        return self.process.poll() is not None

    def wait_warm(self, timeout: float) -> bool:
        """Wait until it is known whether it can fork; True when it can."""
        with self._news:
            self._news.wait_for(lambda: self.threads or self._closed, timeout)
        return self.is_warm

    def fork(
        self, settings: Mapping[str, object], envs: Mapping[str, str], descriptors: Sequence[int]
    ) -> ForkedProcess:
        """Fork a replica.

        Args:
            settings: What `replica.main` takes, without descriptors.
            envs: Its environment variables, whole.
            descriptors: Listening socket, report, lifeline and log; they stay the caller's own.

        Raises:
            OSError: The zygote is gone, or the machine refuses.
        """
        number = next(self._ids)
        order = json.dumps({"id": number, "settings": dict(settings), "envs": dict(envs)}).encode()
        with self._news:
            socket.send_fds(self._control, [order], list(descriptors))
            answered = self._news.wait_for(lambda: number in self._answers or self._closed, FORK_TIMEOUT)
            if not answered or number not in self._answers:
                # A child that it may still make serves nobody: the caller starts another one.
                self._abandoned.add(number)
                raise OSError("the zygote does not answer")
            answer = self._answers.pop(number)
        if "pid" not in answer:
            raise OSError(answer["error"])
        return ForkedProcess(answer["pid"], self)

    def exit_code(self, pid: int) -> int:
        """The exit code of a child that has ended; that of SIGKILL when nobody is left to tell."""
        with self._news:
            self._news.wait_for(lambda: pid in self._codes or self._closed, 1.0)
            return self._codes.get(pid, -signal.SIGKILL)

    def reap(self, pid: int) -> None:
        """Let the process id of a child that has ended go."""
        with self._news:
            self._codes.pop(pid, None)
        with contextlib.suppress(OSError):
            self._control.send(json.dumps({"reap": pid}).encode())

    def retire(self) -> None:
        """Fork no more, and end when all replicas that it forked have: only it can tell how they end."""
        self._retired = True
        with contextlib.suppress(OSError):
            self._control.send(b'{"retire": true}')

    def close(self) -> None:
        """End it; replicas that it forked go on."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()

    def _listen(self) -> None:
        while True:
            try:
                data = self._control.recv(MESSAGE_BYTES)
            except OSError:
                data = b""
            with self._news:
                if data:
                    self._take(json.loads(data))
                else:
                    self._closed = True
                self._news.notify_all()
            if not data:
                self.process.wait()
                return

    def _take(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self.threads = int(message["threads"])
        elif message.get("ended") in self._unwanted:
            self._unwanted.remove(message["ended"])
            self.reap(message["ended"])
        elif "ended" in message:
            self._codes[message["ended"]] = message["code"]
        elif message["id"] in self._abandoned:
            self._abandoned.remove(message["id"])
            if "pid" in message:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(message["pid"], signal.SIGKILL)
                self._unwanted.add(message["pid"])
        else:
            self._answers[message["id"]] = message
