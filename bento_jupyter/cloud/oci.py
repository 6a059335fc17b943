"""OCI images of Bentos: made by `bentoml containerize`, once per content, and pushed to registries.

The images are in the storage of the program that runs them (podman, docker, nerdctl), under the user's own
account there. This cloud keeps only a record of each, beside its environments.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import yaml  # type: ignore[import-untyped]

from ..environments import Log, output_lines
from ..errors import EnvironmentBuildError, InvalidRequestError
from ..home import Home, write_private
from . import image_program
from .build_settings import build_settings
from .builders import Builder, last_line

__all__ = ["OciImage", "containerize", "delete_image", "oci_key", "push", "recorded", "registry_of"]

logger = logging.getLogger(__name__)

#: Seconds that a question to the program with the images may take.
ASK_TIMEOUT = 60.0
#: Seconds that a builder has to end the commands that it runs, which are in sessions of their own.
GRACE = 5.0
#: What the kernel says of a full disk, and what helps.
DISK_FULL = "no space left on device"
DISK_WORDS = (
    f"{DISK_FULL}; `bento-jupyter cloud gc` deletes images that no deployment needs, `podman system prune` "
    "(or docker's) what others have left behind"
)
#: A name without a registry's would go to Docker Hub, by mistake as often as not.
DESTINATION = re.compile(
    r"(?P<registry>(?:localhost|[\w-]+(?:\.[\w-]+)+|[\w-]+(?=:)|\[[0-9a-fA-F:]+\])(?::\d+)?)"
    r"(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+(?::[\w][\w.-]{0,127})?"
)
#: What registries and programs say when the user is not let in.
DENIALS = ("unauthorized", "authentication required", "denied", "forbidden", "no basic auth")
#: What podman and buildah add to a line of a Dockerfile that they do not understand.
PARSED = re.compile(r" &imagebuilder\.Step\{.*Original:(?P<line>\".*\")\}")
#: What they say of a registry that they expect to have TLS.
PLAIN_HTTP = "server gave http response to https client"


def _is_local(registry: str) -> bool:
    """Whether it is on this machine, where registries speak plain HTTP more often than not; docker agrees."""
    host = urlsplit(f"//{registry}").hostname or ""
    with suppress(ValueError):
        return bool(ipaddress.ip_address(host).is_loopback)
    return host == "localhost"


@dataclass(frozen=True)
class OciImage:
    """An image that is there.

    Attributes:
        key: Hash of what it was made from.
        reference: Its name in the storage of `runner`.
        digest: `sha256:...` of its configuration, and so of all its content.
        size_bytes: Size of its layers, unpacked.
        builder: The program that built it.
        runner: The program that has it.
        seconds: How long the build, or the look at what was there, took.
        cached: It was there already.
    """

    key: str
    reference: str
    digest: str
    size_bytes: int
    builder: str
    runner: str
    seconds: float = 0.0
    cached: bool = False

    @property
    def is_there(self) -> bool:
        """Whether the runner still has it."""
        with suppress(OSError, subprocess.SubprocessError, ValueError):
            return inspect(self.runner, self.reference)[0] == self.digest
        return False


def oci_key(bento: Path) -> str:
    """The content hash of the image of a Bento.

    Args:
        bento: Its folder in the store, which is called by the digest of its content.

    Returns:
        24 hexadecimal digits.
    """
    manifest = (bento / "bento.yaml").read_bytes()
    return hashlib.sha256(b"oci\n" + bento.name.encode() + b"\n" + manifest).hexdigest()[:24]


def record_of(home: Home, key: str) -> Path:
    """File with what this cloud knows of an image."""
    return home.images / f"{key}.json"


def recorded(home: Home, key: str) -> OciImage | None:
    """What this cloud knows of an image that it has built; None when it has not."""
    try:
        return OciImage(**json.loads(record_of(home, key).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def delete_image(home: Home, image: OciImage) -> bool:
    """Delete an image, and the record of it.

    Args:
        home: Where the record is kept.
        image: The image.

    Returns:
        False when its runner does not delete it, because a container of it is there, or is itself gone.
    """
    if shutil.which(image.runner) is None:
        return False
    if image.is_there:
        done = ask(image.runner, "rmi", image.reference)
        if done.returncode:
            logger.warning("%s does not delete %s: %s", image.runner, image.reference, done.stderr.strip())
            return False
    record_of(home, image.key).unlink(missing_ok=True)
    return True


def containerize(
    home: Home,
    bento: Path,
    key: str,
    builder: Builder,
    *,
    log: Log,
    cancelled: threading.Event,
    secrets: Mapping[str, str],
) -> OciImage:
    """Get the image of a Bento; build it when it is not there.

    Args:
        home: Where the record of it is kept.
        bento: The Bento's folder, with its models.
        key: Its content hash.
        builder: What builds it.
        log: Called with each line of the build, as it comes.
        cancelled: Ends the build when set.
        secrets: Environment variables of the build, whose values are not to be in the log.

    Raises:
        EnvironmentBuildError: It could not be built; the log has the builder's words.
    """
    begin = time.perf_counter()
    known = recorded(home, key)
    if known is not None and known.is_there:
        return replace(known, seconds=time.perf_counter() - begin, cached=True)
    manifest = yaml.safe_load((bento / "bento.yaml").read_text(encoding="utf-8"))
    name, version = str(manifest["name"]), str(manifest["version"])
    reference = f"localhost/bento-jupyter/{name}:{key}"
    told = build_settings(os.environ, secrets)
    envs = {**os.environ, **(builder.envs or {}), **secrets}
    envs |= {"BENTOML_DO_NOT_TRACK": "True", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "200"}
    if builder.runner == "podman" and any(
        each.get("stage") == "build" for each in manifest.get("envs") or ()
    ):
        envs["DOCKER_BUILDKIT"] = "1"  # BentoML asks for it before it mounts secrets; podman mounts them, too
    scratch = home.cloud / "scratch"  # emptied when the cloud starts: secrets of a killed build do not stay
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="image-", dir=scratch, ignore_cleanup_errors=True) as folder:
        envs["BENTOML_HOME"] = str(as_store(Path(folder, "store"), bento, name, version))
        command = [f"{name}:{version}", "--backend", builder.name, "--image-tag", reference]
        command += [word for each in builder.options for word in ("--opt", each)]
        log("$ bentoml containerize " + " ".join(command))
        command += ["--scratch", folder]
        files = told.write(Path(folder))
        if files and builder.runner == "docker" and envs.get("DOCKER_BUILDKIT") == "0":
            log("docker without BuildKit has no secrets: its build is not told of this machine's index")
            files = {}
        if files:
            log(f"its commands are told, as secrets of the build: {', '.join(told.names)}")
        command += [word for each, file in files.items() for word in ("--tell", f"{each}={file}")]
        said = run(
            [sys.executable, "-m", image_program.__name__, *command],
            log=log,
            cancelled=cancelled,
            envs=envs,
            clean=told.cleaning(secrets),
            what=f"{builder.name} could not build the image",
        )
    try:
        digest, size = inspect(builder.runner, reference)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise EnvironmentBuildError(
            f"{builder.name} has built the image, but {builder.runner} does not have it: {error}",
            hint="both have to use the same storage: check their settings",
            log="\n".join(said),
        ) from error
    seconds = round(time.perf_counter() - begin, 3)
    image = OciImage(key, reference, digest, size, builder.name, builder.runner, seconds)
    home.images.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(record_of(home, key), json.dumps(asdict(image), indent=1))
    return image


def push(image: OciImage, destination: str, log: Callable[[str], None], cancelled: threading.Event) -> None:
    """Send an image to a registry, with the credentials that its runner keeps for the user.

    Args:
        image: What to send.
        destination: `REGISTRY/REPOSITORY:TAG`.
        log: Called with each line that the runner says, as it comes.
        cancelled: Ends it when set.

    Raises:
        InvalidRequestError: `destination` is not of that form.
        EnvironmentBuildError: It was refused, or the registry was not reached.
    """
    registry = registry_of(destination)
    with ExitStack() as undo:
        if image.runner == "podman":
            plain = ["--tls-verify=false"] if _is_local(registry) else []
            command = ["podman", "push", *plain, image.reference, f"docker://{destination}"]
        else:
            done = ask(image.runner, "tag", image.reference, destination)
            if done.returncode:
                raise InvalidRequestError(
                    f"{destination!r} cannot be the name of an image: {done.stderr.strip()}"
                )
            # Its name is all that goes; under it the image would outlive its deployment.
            undo.callback(ask, image.runner, "rmi", destination)
            command = [image.runner, "push", destination]
        log("$ " + " ".join(command))
        what = f"{image.runner} could not push the image to {registry}"
        try:
            run(command, log=log, cancelled=cancelled, envs=os.environ, clean=str, what=what)
        except EnvironmentBuildError as error:
            error.hint = push_hint(image.runner, registry, error.log.lower())
            raise


def push_hint(runner: str, registry: str, said: str) -> str:
    """What to do about a push that failed.

    Args:
        runner: The program that pushed.
        registry: Where to.
        said: Its words, in small letters.
    """
    if PLAIN_HTTP in said:
        settings = (
            "`insecure-registries` of /etc/docker/daemon.json"
            if runner == "docker"
            else f'[[registry]] location = "{registry}" insecure = true of /etc/containers/registries.conf'
            if runner == "podman"
            else "`insecure_registry = true` of nerdctl.toml"
        )
        return f"it has no TLS: give it a certificate, or allow that for it in {settings}"
    if any(word in said for word in DENIALS):
        return f"log in to it on the machine of this cloud: {runner} login {registry}"
    return "check the name of the registry, and that this machine reaches it"


def registry_of(destination: str) -> str:
    """The registry in `REGISTRY/REPOSITORY:TAG`.

    Raises:
        InvalidRequestError: It is not of that form.

    Example:
        >>> registry_of("registry.example:5000/me/iris:v1")
        'registry.example:5000'
    """
    found = DESTINATION.fullmatch(destination)
    if found is None:
        raise InvalidRequestError(
            f"{destination!r} does not say to which registry, and under which name",
            hint="REGISTRY/REPOSITORY:TAG, e.g. ghcr.io/me/iris:v1; small letters, digits, '.', '_', '-'",
        )
    return found["registry"]


def inspect(runner: str, reference: str) -> tuple[str, int]:
    """Digest and size of an image that a program has.

    Raises:
        OSError, subprocess.SubprocessError, ValueError: It does not have it, or does not say.
    """
    said = subprocess.run(
        [runner, "image", "inspect", "--format", "{{.Id}} {{.Size}}", reference],
        capture_output=True,
        text=True,
        check=True,
        timeout=ASK_TIMEOUT,
    ).stdout
    digest, size = said.split()
    return f"sha256:{digest.removeprefix('sha256:')}", int(size)


def ask(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program that has little to do; it may fail."""
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )


def as_store(folder: Path, bento: Path, name: str, version: str) -> Path:
    """A store of BentoML in which only this Bento is, with its models; nothing is copied."""
    place = folder / "bentos" / name / version
    place.mkdir(parents=True)
    for each in bento.iterdir():
        # BentoML copies the Bento first, and then its models from the store beside it.
        (folder / "models" if each.name == "models" else place / each.name).symlink_to(each.resolve())
    return folder


def run(
    command: Sequence[str],
    *,
    log: Log,
    cancelled: threading.Event,
    envs: Mapping[str, str],
    clean: Callable[[str], str],
    what: str,
) -> list[str]:
    """Run a program to its end; gives what it said, `clean` of secrets.

    Raises:
        EnvironmentBuildError: It failed, or was cancelled; its message begins with `what`.
    """
    said: list[str] = []
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # its end is that of this process: see `image_program`
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(envs),
            cwd="/",  # BentoML reads Dockerfile templates below its working folder only
            start_new_session=True,
        ) as process:
            try:
                for line in output_lines(process, cancelled, grace=GRACE):
                    said.append(clean(line))
                    log(said[-1])
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
    except OSError as error:
        raise EnvironmentBuildError(f"{what}: {error}") from error
    text = "\n".join(said)
    if cancelled.is_set():
        raise EnvironmentBuildError("the build was cancelled", log=text)
    if process.returncode:
        reason = DISK_WORDS if DISK_FULL in text.lower() else reason_of(said)
        hint = "its log says more: %bento_logs NAME --source image"
        raise EnvironmentBuildError(f"{what}: {reason}", hint=hint, log=text)
    return said


def reason_of(said: Sequence[str]) -> str:
    """The line in which a builder says why it failed."""
    lines = [line.strip() for line in said if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "fatal"))]
    return last_line(PARSED.sub(r" in the line \g<line>", (errors or lines or [""])[-1]))
