"""Machines on this one: network namespaces on a bridge, each with its own processes and Ray folder.

They reach each other and this machine, and nothing else. Root only.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

__all__ = ["Machine", "Network", "missing"]

#: First process of a machine: it mounts what is to be the machine's own, and takes care of who has no parent.
INIT = """
mount -t tmpfs -o size=1g tmpfs /dev/shm
mount --bind "$1" /tmp/ray
ip link set lo up
sleep infinity & wait
"""


def missing() -> str:
    """Why there can be no such machines here; "" = there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "machines are network namespaces: that needs root on Linux"
    absent = [name for name in ("ip", "unshare", "nsenter", "mount") if shutil.which(name) is None]
    if absent:
        return f"there is no {', '.join(absent)}"
    probe = ["unshare", "--net", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"no namespaces here: {done.stderr.strip()}"


class Machine:
    """One machine, which is on.

    Args:
        network: Its network.
        name: Its name there.
        address: Its address there.
        folder: What is on its disk, kept when it goes off.
    """

    def __init__(self, network: Network, name: str, address: str, folder: Path) -> None:
        self.name = name
        self.address = address
        self.folder = folder
        self._network = network
        self._cable = f"{network.bridge}{name}"[:15]
        self._init: subprocess.Popen[bytes] | None = None
        self.switch_on()

    @property
    def is_on(self) -> bool:
        """It has power."""
        return self._init is not None

    def switch_on(self) -> None:
        """Start it, with nothing running."""
        (self.folder / "ray").mkdir(parents=True, exist_ok=True)
        Path("/tmp/ray").mkdir(exist_ok=True)
        words = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._init = subprocess.Popen(
            [*words, "bash", "-c", INIT, "init", str(self.folder / "ray")],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        pid = self._first_process()
        run("ip", "link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        run("ip", "link", "set", self._cable, "master", self._network.bridge, "up")
        inside = ["nsenter", "-t", str(pid), "--net", "ip"]
        run(*inside, "address", "add", f"{self.address}/24", "dev", "eth0")
        run(*inside, "link", "set", "eth0", "up")

    def lose_power(self) -> None:
        """Everything on it ends at once, and nobody hears of it: what was connected waits for an answer."""
        assert self._init is not None
        self.unplug()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._first_process(), signal.SIGKILL)
        self._init.wait(30)
        subprocess.run(["ip", "link", "del", self._cable], capture_output=True, check=False)
        self._init = None

    def unplug(self) -> None:
        """Nothing reaches it, and it reaches nothing."""
        run("ip", "link", "set", self._cable, "down")

    def plug_in(self) -> None:
        """It is in the network again."""
        run("ip", "link", "set", self._cable, "up")

    def start(
        self, *command: str, environment: Mapping[str, str] | None = None, log: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program on it."""
        with (log or self.folder / "log").open("ab") as output:
            return subprocess.Popen(
                self._entered(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**self._environment, **(environment or {})},
                start_new_session=True,
            )

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a program on it to its end; what it says."""
        return run(*self._entered(command), environment={**self._environment, **(environment or {})})

    def processes(self, *words: str) -> list[psutil.Process]:
        """Its processes whose command line has all of these words, without those that keep it on."""
        if self._init is None:
            return []
        first = self._first_process()
        namespace = os.readlink(f"/proc/{first}/ns/pid")
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                line = " ".join(process.cmdline())
                is_here = os.readlink(f"/proc/{process.pid}/ns/pid") == namespace and line != "sleep infinity"
                if is_here and process.pid != first and all(word in line for word in words):
                    found.append(process)
        return found

    @property
    def _environment(self) -> dict[str, str]:
        keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {**keep, "HOME": str(self.folder / "home")}

    def _entered(self, command: Sequence[str]) -> list[str]:
        (self.folder / "home").mkdir(exist_ok=True)
        pid = str(self._first_process())
        return ["nsenter", "-t", pid, "--net", "--mount", "--pid", *command]

    def _first_process(self) -> int:
        assert self._init is not None, f"{self.name} is off"
        while True:
            assert self._init.poll() is None, f"{self.name} does not start"
            children = psutil.Process(self._init.pid).children()
            # `sleep` is what it does when it has mounted everything.
            if children and children[0].children():
                return children[0].pid


class Network:
    """A bridge with machines on it; this one has its first address.

    Args:
        folder: For the disks of the machines.
    """

    def __init__(self, folder: Path) -> None:
        self.bridge = f"bj{secrets.token_hex(2)}"
        self.machines: list[Machine] = []
        self._folder = folder
        taken = run("ip", "-4", "address")
        free = [each for each in range(256) if f"10.77.{each}." not in taken]
        # Not always the same one: a cloud that an earlier run has left would take these machines for its own.
        self._prefix = f"10.77.{secrets.choice(free)}"

    @property
    def address(self) -> str:
        """This machine's address there."""
        return f"{self._prefix}.1"

    def add(self, name: str) -> Machine:
        """One more machine."""
        address = f"{self._prefix}.{len(self.machines) + 2}"
        machine = Machine(self, name, address, self._folder / name)
        self.machines.append(machine)
        return machine

    def __enter__(self) -> Network:
        run("ip", "link", "add", self.bridge, "type", "bridge")
        run("ip", "address", "add", f"{self.address}/24", "dev", self.bridge)
        run("ip", "link", "set", self.bridge, "up")
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.machines:
            if machine.is_on:
                machine.lose_power()
        run("ip", "link", "del", self.bridge)

    def __iter__(self) -> Iterator[Machine]:
        return iter(self.machines)


def run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a program; what it says, on failure in the error."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout
