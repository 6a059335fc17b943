"""Builders: the programs that make OCI images, and those that run them, on this machine.

A program that is there need not work: a `docker` without its daemon is the common case. So each one has to
build an empty image first, and the first that does is used.
"""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import NoBuilderError

__all__ = ["AUTO", "BUILDERS", "NONE", "Builder", "Builders"]

logger = logging.getLogger(__name__)

#: Take the first that works.
AUTO = "auto"
#: Use none, even where there is one.
NONE = "none"
INSTALL_HINT = (
    "install podman (Debian, Ubuntu: apt install podman; Fedora: dnf install podman), docker, nerdctl, or "
    "buildah with podman, on the machine of this cloud; or deploy it to a cloud that builds containers"
)
#: Seconds that the probe of a builder may take.
PROBE_TIMEOUT = 60.0
PROBE = "localhost/bento-jupyter/probe:1"
#: Its file is somebody else's, as those of all images of BentoML are: without subordinate ids that fails.
PROBE_FILE = "FROM scratch\nCOPY --chown=1034:1034 probe /probe\n"
#: What podman and buildah need for users other than root, and where it is from.
ROOTLESS_PROGRAMS = ("newuidmap", "newgidmap")
ROOTLESS_FILES = (Path("/etc/subuid"), Path("/etc/subgid"))
#: Characters of what a program said that are shown.
LONGEST_REASON = 300


@dataclass(frozen=True)
class Builder:
    """A program that builds OCI images.

    Attributes:
        name: Its name, which is that of `bentoml containerize --backend`.
        runner: The program that has the images it built, runs them and pushes them.
        options: What its builds are told besides, as `--opt` of `bentoml containerize`.
        envs: Variables that its builds need.
    """

    name: str
    runner: str
    options: tuple[str, ...] = ()
    envs: Mapping[str, str] | None = None

    def refusal(self) -> str:
        """Why it does not work here; "" when an empty image could be built."""
        for program in dict.fromkeys((self.name, self.runner)):
            if shutil.which(program) is None:
                return f"there is no {program}"
        with tempfile.TemporaryDirectory(prefix="bento-jupyter-probe-") as folder:
            Path(folder, "Dockerfile").write_text(PROBE_FILE, encoding="ascii")
            Path(folder, "probe").touch()
            try:
                done = subprocess.run(
                    [self.name, "build", "-t", PROBE, "-f", f"{folder}/Dockerfile", folder],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    check=False,
                    timeout=PROBE_TIMEOUT,
                    env={**os.environ, **(self.envs or {})},
                )
            except (OSError, subprocess.SubprocessError) as error:
                return f"{self.name}: {error}"
        if done.returncode == 0:
            return ""
        lacking = rootless_lack() if self.runner == "podman" else ""
        return f"{self.name}: {lacking or last_line(done.stderr or done.stdout)}"


#: In the order in which they are tried. podman and buildah build with the network of this machine: an index
#: or a proxy on it is reached by the same address as from here.
BUILDERS: Sequence[Builder] = (
    Builder("docker", "docker"),
    Builder("podman", "podman", ("network=host",)),
    Builder("buildah", "podman", ("network=host",)),
    Builder("nerdctl", "nerdctl"),
)


class Builders:
    """Finds the builder to use; remembers one that works.

    Args:
        choice: Name of the only one to try; `auto` = the first that works; `none` = there is to be none.

    Example:
        >>> Builders("none").refusal()
        'this cloud is told to use no builder of OCI images'
    """

    def __init__(self, choice: str = AUTO) -> None:
        self._choice = choice
        self._found: Builder | None = None
        self._finding = threading.Lock()

    def find(self) -> Builder:
        """The builder; takes the time of a build the first time: call it in a thread.

        Raises:
            NoBuilderError: None works; the message has each one's reason.
        """
        with self._finding:
            if self._found is not None and shutil.which(self._found.name):
                return self._found
            if self._choice == NONE:
                raise NoBuilderError("this cloud is told to use no builder of OCI images", hint=INSTALL_HINT)
            reasons = []
            for builder in BUILDERS:
                if self._choice in (AUTO, builder.name):
                    reason = builder.refusal()
                    if not reason:
                        logger.info("OCI images are built by %s", builder.name)
                        self._found = builder
                        return builder
                    reasons.append(reason)
        raise NoBuilderError(
            "no program here builds OCI images: " + "; ".join(reasons),
            hint=INSTALL_HINT,
        )

    def refusal(self) -> str:
        """Why there is no builder; "" when there is one. See `find`."""
        try:
            self.find()
        except NoBuilderError as error:
            return error.message
        return ""


def rootless_lack() -> str:
    """What this machine lacks for podman and buildah to work without root; "" when nothing, or for root."""
    if os.getuid() == 0:
        return ""
    missing = [name for name in ROOTLESS_PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"without root it needs {' and '.join(missing)} (Debian, Ubuntu: apt install uidmap)"
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    missing = [str(file) for file in ROOTLESS_FILES if not has_ids(file, user)]
    if missing:
        return (
            f"without root it needs ids of its own for {user} in {' and '.join(missing)} "
            f"(sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}; "
            "then podman system migrate)"
        )
    return ""


def has_ids(file: Path, user: str) -> bool:
    """Whether a file of subordinate ids, `user:first:count` in each line, has some for a user."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(line.split(":")[0].strip() in (user, str(os.getuid())) for line in lines)


def last_line(output: str) -> str:
    """What a program that failed said last; of a very long line the begin and the end."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = lines[-1] if lines else "it failed without a word"
    half = LONGEST_REASON // 2
    return last if len(last) <= LONGEST_REASON else f"{last[:half]} ... {last[-half:]}"
