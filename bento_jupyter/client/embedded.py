"""The embedded cloud as a process: find it, start it, stop it.

It is found by the 0600 state file of its home (`bento_jupyter.home`), so the kernel, the Jupyter
server and the shell all see the same one, whoever started it.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CloudError, ConflictError, WaitTimeoutError
from ..home import CloudState, Home

if TYPE_CHECKING:
    import psutil

    from ..views import CloudView

__all__ = ["engine_options", "find", "login", "runs", "start", "start_with", "status", "stop"]

#: Name under which the embedded cloud stands in the `bentoml` client's context file.
CONTEXT_NAME = "embedded"
#: Seconds between two tries to start a cloud while another one has its lock.
RESPAWN_INTERVAL = 2.0


def status(home: Home | None = None) -> CloudView | None:
    """What the embedded cloud says of itself; None when none runs.

    Args:
        home: Home of the cloud; None = the default one.
    """
    home = home or Home.default()
    state = home.read_state()
    return _ask(home, state) if state else None


def find(home: Home | None = None) -> CloudState | None:
    """The state of the running embedded cloud; None when none runs (a stale state file counts as none)."""
    home = home or Home.default()
    state = home.read_state()
    return state if state is not None and _ask(home, state) is not None else None


def runs(home: Home | None = None) -> bool:
    """Whether the embedded cloud runs, told by its lock: nobody is asked, so it costs microseconds.

    Its state file does not tell: one that was killed has left it.
    """
    try:
        with (home or Home.default()).lock_file.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def start(home: Home | None = None, *, timeout: float = 60.0, options: Sequence[str] = ()) -> CloudState:
    """Start the embedded cloud unless it runs, and wait until it answers.

    Several callers may do so at once: the cloud's own lock sees to it that one runs.

    Args:
        home: Home of the cloud; None = the default one.
        timeout: Seconds to wait.
        options: Words for its command line (`python -m bento_jupyter.cloud --help`), where it is started.

    Returns:
        The state of the running cloud.

    Raises:
        CloudError: It could not be started, or ended instead of answering; the message says why.
        WaitTimeoutError: It did not answer in time.
    """
    home = home or Home.default()
    if (state := find(home)) is not None:
        return state
    output = home.logs / "cloud.out"
    said_before = output.stat().st_size if output.exists() else 0
    deadline = time.monotonic() + timeout
    process, spawned = _spawn(home, output, options), time.monotonic()
    while time.monotonic() < deadline:
        if (state := find(home)) is not None:
            if state.pid != process.pid:
                # Another one was quicker. Ours must not take its place when that is stopped a moment later.
                process.terminate()
                process.wait()
            return state
        code = process.poll()
        if code:
            said = output.read_bytes()[said_before:].decode(errors="replace")
            tail = "\n".join(said.splitlines()[-5:])
            raise CloudError(f"the embedded cloud ended with code {code}: {tail}", hint=f"its log: {output}")
        if code == 0 and time.monotonic() > spawned + RESPAWN_INTERVAL:
            # It left because another one has the lock, and that may have been about to end.
            process, spawned = _spawn(home, output, options), time.monotonic()
        time.sleep(0.05)
    raise WaitTimeoutError(
        f"the embedded cloud did not answer within {timeout:g} s", hint=f"its log: {home.logs / 'cloud.log'}"
    )


def start_with(options: Sequence[str], home: Home | None = None) -> CloudState:
    """Start the embedded cloud as it is told to be; without options as it was last.

    Args:
        options: Words for its command line.
        home: Home of the cloud; None = the default one.

    Raises:
        ConflictError: It is to be told something, but runs already.
        CloudError: As `start`.
    """
    running = find(home) if options else None
    if running is not None:
        raise ConflictError(
            f"the embedded cloud runs already, at {running.endpoint}",
            hint="stop it (bento-jupyter cloud stop, %bento_cloud stop), then start it with these options",
        )
    return start(home, options=options)


def engine_options(
    engine: str | None = None,
    ray_address: str | None = None,
    ray_token_env: str | None = None,
    ray_ca: str | None = None,
    *,
    ray_tls: bool = False,
) -> list[str]:
    """The words that tell a cloud what is to run its instances.

    Args:
        engine: `processes`, `containers` or `ray`; None = as it was last.
        ray_address: URL of a Ray cluster's dashboard.
        ray_token_env: Name of the environment variable that has the cluster's token.
        ray_ca: PEM file with who signed the dashboard's certificate.
        ray_tls: TLS between the cloud and the nodes.

    Example:
        >>> engine_options(ray_address="http://10.0.0.2:8265")
        ['--ray-address', 'http://10.0.0.2:8265']
    """
    named = {
        "--engine": engine,
        "--ray-address": ray_address,
        "--ray-token-env": ray_token_env,
        "--ray-ca": ray_ca and os.path.abspath(ray_ca),
    }
    words = [word for name, value in named.items() if value for word in (name, value)]
    return [*words, "--ray-tls"] if ray_tls else words


def stop(home: Home | None = None, *, timeout: float = 30.0) -> bool:
    """Stop the embedded cloud with everything it runs.

    Args:
        home: Home of the cloud; None = the default one.
        timeout: Seconds it is given to stop by itself; it is killed after that.

    Returns:
        True when one was running.
    """
    import httpx
    import psutil

    home = home or Home.default()
    state = home.read_state()
    if state is None:
        return False
    try:
        process = psutil.Process(state.pid)
        ours = "bento_jupyter.cloud" in " ".join(process.cmdline())
    except psutil.Error:
        ours = False
    if not ours:
        _forget(home, state)
        return False
    try:
        httpx.post(
            f"{state.endpoint}/api/bj/v1/shutdown",
            headers=_headers(state),
            timeout=5,
            trust_env=False,
            verify=home.trust(state.endpoint),
        ).raise_for_status()
    except (httpx.HTTPError, OSError):
        process.terminate()
    if not _ended(process, timeout):
        # Replicas and gateway end with it: they watch a pipe that it holds.
        process.kill()
        _ended(process, 5)
    _forget(home, state)
    return True


def login(home: Home | None = None, *, context: str = CONTEXT_NAME) -> CloudState:
    """Write the embedded cloud into the `bentoml` client's own context file and make it current.

    After that plain `bentoml` commands talk to it. Starts the cloud when none runs.

    Args:
        home: Home of the cloud; None = the default one.
        context: Name of the context.
    """
    from . import contexts

    state = start(home)
    contexts.save(context, endpoint=state.endpoint, token=state.token)
    return state


def _spawn(home: Home, output: Path, options: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        home.create()
        with output.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "bento_jupyter.cloud", "--home", str(home.root), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=home.root,
                env=_environment(),
                start_new_session=True,
            )
    except OSError as error:
        raise CloudError(
            f"the embedded cloud cannot be started in {home.root}: {error}",
            hint="BENTO_JUPYTER_HOME names the folder that it keeps everything in",
        ) from error


def _forget(home: Home, state: CloudState) -> None:
    """Remove the state file of a cloud that has ended, but not that of one started since."""
    if home.read_state() == state:
        home.state_file.unlink(missing_ok=True)


def _ended(process: psutil.Process, timeout: float) -> bool:
    """Whether a process ends within `timeout` seconds.

    One that is stopped from the sidebar may be the child of a kernel that does not look after it: it
    stays as a zombie for as long as the kernel lives, and has ended all the same.
    """
    import psutil

    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def _environment() -> dict[str, str]:
    # A cloud outlives the shell or kernel it was started from: what was set for those is not for it.
    # Bytecode is wanted: without it each cold start takes seconds longer.
    dropped = {
        "PYTHONDONTWRITEBYTECODE",
        "BENTO_CLOUD_API_KEY",
        "BENTO_CLOUD_API_ENDPOINT",
        "JPY_PARENT_PID",
        "MPLBACKEND",
    }
    return {key: value for key, value in os.environ.items() if key not in dropped}


def _headers(state: CloudState) -> dict[str, str]:
    return {"X-YATAI-API-TOKEN": state.token}


def _ask(home: Home, state: CloudState) -> CloudView | None:
    import httpx

    from ..views import CloudView

    try:
        os.kill(state.pid, 0)
        answer = httpx.get(
            f"{state.endpoint}/api/bj/v1/cloud",
            headers=_headers(state),
            timeout=5,
            trust_env=False,
            # Without TLS there is nothing to verify, and reading the system's certificates takes 50 ms.
            verify=home.trust(state.endpoint) if state.endpoint.startswith("https:") else False,
        )
    except (OSError, httpx.HTTPError):
        return None
    if answer.status_code != 200:
        return None
    view = CloudView.model_validate_json(answer.content)
    # The state file may be that of a cloud that was killed, and its successor listens on the same port.
    return view if view.pid == state.pid else None
