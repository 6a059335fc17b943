"""Content-addressed Python environments, made by uv and shared by proofs and images.

The same requirements, Python and platform always give the same folder below `home.environments`; it is
built once, under a lock, and is complete only when its marker is there: killed half-way, the next call
builds it again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from .bytecode import seed_bytecode
from .errors import EnvironmentBuildError
from .home import Home
from .pip_settings import Sources, sources
from .speedups import FOLDER, SPEEDUPS, take_over_speedups

__all__ = [
    "COMPLETE",
    "Environment",
    "Log",
    "environment_key",
    "output_lines",
    "prepare",
    "redacted",
    "size_of",
    "this_minor",
]

Log = Callable[[str], None]

#: Marker of a finished environment; written last.
COMPLETE = ".complete"
#: Folder in an environment with what Bentos were seen to import in it.
IMPORTS = "imports"
#: Variables of the caller's own environment that would make uv work on that one.
FOREIGN_ENVS = (
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYTHONHOME",
    "PYTHONPATH",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
)
#: Seconds between looks at whether a build was cancelled.
CANCEL_INTERVAL = 0.25
#: Shorter values are in every line by chance.
SHORTEST_SECRET = 4
COMMENT = re.compile(r"(^|\s)#.*$")
LOCAL_FILE = re.compile(
    r"^(?:[\w.-]+(?:\[[^]]*\])?\s*@\s*)?(?P<path>[^\s;]+\.(?:whl|tar\.gz|zip))(?=$|[\s;])"
)


@dataclass(frozen=True)
class Environment:
    """A finished environment.

    Attributes:
        key: Its content hash.
        path: Its folder.
        python: Its interpreter.
        cached: True when it was there already.
        seconds: How long this call took.
    """

    key: str
    path: Path
    python: Path
    cached: bool
    seconds: float

    @property
    def imports(self) -> Path:
        """Folder with what Bentos were seen to import in it, a JSON list per file; may be missing."""
        return self.path / IMPORTS

    @property
    def size(self) -> int:
        """Bytes of all its files; it may share them with uv's cache."""
        return size_of(self.path)


def size_of(path: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(
        os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names
    )


def this_minor() -> str:
    """Version of this interpreter as environments are asked for, e.g. "3.11"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def environment_key(requirements: str, python: str, directory: Path | None = None) -> str:
    r"""The content hash of an environment.

    Args:
        requirements: Text of a requirements file. Comments, blank lines and order do not matter.
        python: Version of Python, e.g. "3.11".
        directory: Folder that relative paths of wheels start from; the content of such wheels counts.

    Returns:
        24 hexadecimal digits.

    Example:
        >>> environment_key("b==1\na==2  # why", "3.11") == environment_key("a==2\nb==1", "3.11")
        True
    """
    lines = sorted(requirement_lines(requirements))
    parts = [f"python {python}", f"platform {sysconfig.get_platform()}", *lines]
    for line in lines:
        match = LOCAL_FILE.match(line)
        file = (directory or Path()) / match["path"] if match and "://" not in match["path"] else None
        if file is not None and file.is_file():
            parts.append(f"{line} sha256={hashlib.sha256(file.read_bytes()).hexdigest()}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def requirement_lines(requirements: str) -> Iterator[str]:
    """The lines of a requirements file that mean something, continuations joined, blanks normalised."""
    for line in requirements.replace("\\\n", " ").splitlines():
        content = " ".join(COMMENT.sub("", line).split())
        if content:
            yield content


def prepare(
    home: Home,
    requirements: str,
    *,
    python: str | None = None,
    directory: Path | None = None,
    log: Log | None = None,
    bytecode_from: Sequence[Path] = (),
    cancelled: threading.Event | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Environment:
    """Get the environment with these requirements; make it when it is not there.

    Safe to call from many processes and threads at once: one builds, the others wait. Packages come
    from where the user's pip, or uv, is set up to find them (`pip_settings`).

    Args:
        home: Where environments live.
        requirements: Text of a requirements file.
        python: Version of Python, e.g. "3.11"; None = this interpreter's.
        directory: Folder that relative paths in the requirements start from.
        log: Called with each line of output of the build, as it comes.
        bytecode_from: `site-packages` folders to take compiled bytecode from, where it is of the very same
            source files. uv writes none, and a first start without costs seconds.
        cancelled: Ends the build when set.
        secrets: Environment variables for the build whose values are not to be in its log: indexes may ask
            who comes. They do not count for the key.

    Returns:
        The environment.

    Raises:
        EnvironmentBuildError: It could not be made; the log has uv's words. Nothing is left behind.
    """
    begin = time.perf_counter()
    version = python or this_minor()
    key = environment_key(requirements, version, directory)
    path = home.environments / key
    log = log or (lambda _line: None)

    def finished(cached: bool) -> Environment:
        return Environment(key, path, path / "bin" / "python", cached, time.perf_counter() - begin)

    if is_complete(path):
        return finished(cached=True)
    home.environments.mkdir(mode=0o700, parents=True, exist_ok=True)
    cancelled = cancelled or threading.Event()
    with locked(home.environments / f"{key}.lock", log, cancelled) as lock:
        if is_complete(path):
            return finished(cached=True)
        try:
            given = dict(secrets or {})
            found = sources({**os.environ, **given})
            uv = Uv(directory or home.environments, log, lock, cancelled, found, given)
            build(path, requirements, version, uv)
            add_speedups(path, version, uv)
            if version == this_minor():
                count = seed_bytecode(path, bytecode_from)
                log(f"took bytecode of {count} files over")
            seconds = round(time.perf_counter() - begin, 3)
            (path / COMPLETE).write_text(json.dumps({"seconds": seconds}), encoding="utf-8")
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
    return finished(cached=False)


def is_complete(path: Path) -> bool:
    """True when the environment was finished and its base interpreter is still there.

    Asking counts as use (`stored_environments`): the marker's time is when somebody got it last.
    """
    try:
        os.utime(path / COMPLETE)
    except OSError:
        return False
    return (path / "bin" / "python").exists()


@contextlib.contextmanager
def locked(file: Path, log: Log, cancelled: threading.Event) -> Iterator[int]:
    """Hold the lock `file`; gives its descriptor. Threads and processes wait for each other.

    Raises:
        EnvironmentBuildError: It was cancelled while it waited.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not try_lock(descriptor):
            log("waiting: the same environment is being built already")
            while not try_lock(descriptor):
                if cancelled.wait(CANCEL_INTERVAL):
                    raise EnvironmentBuildError("the build was cancelled")
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Take a lock if nobody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def build(path: Path, requirements: str, version: str, uv: Uv) -> None:
    """Make the environment at `path`; an unfinished one that is there is replaced.

    Raises:
        EnvironmentBuildError: uv failed.
    """
    shutil.rmtree(path, ignore_errors=True)
    base = getattr(sys, "_base_executable", "") or sys.executable
    interpreter = base if version == this_minor() else other_python(version)
    # What this folder's parents say about projects is about other projects.
    try:
        uv(
            ["venv", "--no-project", "--python", interpreter, str(path)],
            what=f"the environment with Python {version} could not be created",
        )
    except EnvironmentBuildError as error:
        if uv.cancelled.is_set() or version in (there := pythons_at_hand()):
            raise
        raise EnvironmentBuildError(
            f"there is no Python {version} on this machine, and it could not be fetched; at hand: "
            + ", ".join(there),
            hint=f"install Python {version}, or build the Bento for one that is at hand",
            log=error.log,
        ) from error
    listed = path / "requirements.txt"
    listed.write_text(requirements, encoding="utf-8")
    # On macOS uv clones, which is as fast.
    link = [] if sys.platform == "darwin" else ["--link-mode", "hardlink"]
    uv(
        [
            "pip",
            "install",
            "--python",
            str(path / "bin" / "python"),
            *link,
            *uv.sources.options,
            "-r",
            str(listed),
        ],
        what="the requirements could not be installed",
    )


def add_speedups(path: Path, version: str, uv: Uv) -> None:
    """Put what makes the replica program quick beside the environment's packages; it also runs without.

    Raises:
        EnvironmentBuildError: The build was cancelled.
    """
    if version == this_minor():
        taken = take_over_speedups(path)
    else:
        command = ["pip", "install", "--python", str(path / "bin" / "python"), "--target", str(path / FOLDER)]
        command += ["--no-deps", "--only-binary", ":all:", *uv.sources.options, *SPEEDUPS]
        try:
            uv(command, what="what makes instances quicker could not be had")
            taken = list(SPEEDUPS)
        except EnvironmentBuildError:
            if uv.cancelled.is_set():
                raise
            taken = []
    uv.log(f"beside the packages, for the server alone: {', '.join(taken) or 'nothing'}")


def other_python(version: str) -> str:
    """How to name the interpreter of another version to uv: by its path if pyenv has it, else by its version.

    On the path uv meets only the shims of pyenv, which refuse versions that the user has not activated.
    """
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [
        path / "bin" / f"python{version}"
        for path in root.glob(f"versions/{version}.*")
        if (path / "bin" / f"python{version}").exists() and path.name.rpartition(".")[2].isdigit()
    ]
    newest = max(found, key=lambda path: int(path.parent.parent.name.rpartition(".")[2]), default=None)
    return version if newest is None else str(newest)


def pythons_at_hand() -> list[str]:
    """Versions of Python, such as "3.11", that environments can be made with without the network."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = {this_minor(), *(path.name for path in root.glob("versions/*"))}
    done = subprocess.run(
        [find_uv(), "python", "list", "--only-installed", "--output-format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    with contextlib.suppress(ValueError, TypeError, KeyError):
        found |= {str(each["version"]) for each in json.loads(done.stdout)}
    minors = {match[1] for text in found if (match := re.match(r"(3\.\d+)(\.\d+)?$", text))}
    return sorted(minors, key=lambda minor: int(minor.split(".")[1]))


def find_uv() -> str:
    """Path of the uv program.

    Raises:
        EnvironmentBuildError: There is none.
    """
    from uv import find_uv_bin

    try:
        return str(find_uv_bin())
    except FileNotFoundError as error:
        raise EnvironmentBuildError("uv is not installed", hint="pip install uv") from error


@dataclass(frozen=True)
class Uv:
    """Runs uv for one build.

    Attributes:
        directory: Where it runs; relative paths in requirements start there.
        log: Called with each line of output.
        lock: Descriptor of the build's lock. uv inherits it: should this process be killed, the lock is held
            until uv has ended, too.
        cancelled: Ends it when set.
        sources: Where packages come from.
        secrets: Variables for uv whose values nobody is to see.
    """

    directory: Path
    log: Log
    lock: int
    cancelled: threading.Event
    sources: Sources
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __call__(self, arguments: list[str], *, what: str) -> None:
        """Run uv, first from its cache alone (no network, and faster), then online.

        Raises:
            EnvironmentBuildError: Both failed.
        """
        output: list[str] = []
        for mode in (["--offline"], []):
            code, said = self._run([*arguments, *mode])
            if code == 0:
                return
            output += said
            if self.cancelled.is_set():
                raise EnvironmentBuildError("the build was cancelled", log="\n".join(output))
            if code < 0:  # what it has left behind is not to be built upon
                raise EnvironmentBuildError(
                    f"{what}: uv was ended by signal {-code}", hint="try again", log="\n".join(output)
                )
        raise EnvironmentBuildError(
            f"{what}: {uv_sentence(said)}",
            hint="check names and versions of the requirements, and the network",
            log="\n".join(output),
        )

    def _run(self, arguments: list[str]) -> tuple[int, list[str]]:
        self.log("$ uv " + " ".join(arguments))
        said: list[str] = []
        with subprocess.Popen(
            [find_uv(), *arguments, "--no-progress", "--color", "never"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            env={name: value for name, value in os.environ.items() if name not in FOREIGN_ENVS}
            | dict(self.secrets)
            | self.sources.envs,
            pass_fds=(self.lock,),
            start_new_session=True,  # an interrupt of the kernel is for the kernel, which then cancels
        ) as process:
            try:
                for line in map(self._redacted, output_lines(process, self.cancelled)):
                    said.append(line)
                    self.log(line)
            except BaseException:
                process.kill()
                raise
        return process.returncode, said

    def _redacted(self, line: str) -> str:
        return self.sources.redacted(redacted(line, self.secrets.values()))


def output_lines(
    process: subprocess.Popen[bytes], cancelled: threading.Event, *, grace: float = 0.0
) -> Iterator[str]:
    """The lines that a program writes, as they come.

    Args:
        process: A program that leads a process group of its own and writes into a pipe.
        cancelled: Ends it, and what it has started, when set.
        grace: Seconds that it has to end by itself before it is killed.
    """
    deadline: float | None = None
    descriptor = process.stdout.fileno() if process.stdout else -1
    rest = b""
    while True:
        if cancelled.is_set():
            deadline = deadline or time.monotonic() + grace
            is_late = time.monotonic() >= deadline
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL if is_late else signal.SIGTERM)
        readable, _, _ = select.select([descriptor], [], [], CANCEL_INTERVAL)
        if not readable:
            continue
        chunk = os.read(descriptor, 65536)
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines if chunk else [rest]:
            if line.strip():
                yield line.decode("utf-8", errors="replace").rstrip()
        if not chunk:
            return


def redacted(line: str, secrets: Iterable[str]) -> str:
    """A line without these values."""
    for value in secret_words(secrets):
        line = line.replace(value, "****")
    return line


def secret_words(values: Iterable[str]) -> list[str]:
    """What to look for when these values are not to be seen, longest first: a log has lines, a URL quotes."""
    lines = {line.strip() for value in values for line in value.splitlines()}
    words = {word for line in lines for word in (line, quote(line, safe=""), quote(line))}
    return sorted((word for word in words if len(word) >= SHORTEST_SECRET), key=len, reverse=True)


def uv_sentence(lines: Sequence[str]) -> str:
    """What uv said last about the failure, on one line."""
    starts = [number for number, line in enumerate(lines) if line.lstrip().startswith(("×", "error:"))]
    sentence = lines[starts[0] :] if starts else lines[-1:]
    text = " ".join(re.sub(r"^[\s×╰─▶│├]+", "", line).strip() for line in sentence).strip()
    return text.removeprefix("error:").strip() or "uv gave no reason"
