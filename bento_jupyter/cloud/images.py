"""Images: what a Bento runs in, built once, with a log that is kept.

That is an environment of Python packages where this is enough, and an OCI image where the Bento needs more
or its deployment asks for one.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import logging
import re
import shlex
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from ..environments import COMPLETE, Environment, Log, environment_key, prepare, size_of, this_minor
from ..errors import EnvironmentBuildError, NoBuilderError
from ..home import Home
from ..spec import utc_now
from ..views import ImageView
from .builders import Builders
from .engines.private_files import write_files
from .oci import OciImage, containerize, oci_key, push, recorded
from .store.secrets import NO_SECRETS, ResolvedSecrets

__all__ = ["Built", "Images", "Recipe", "is_there", "needs_container", "read_recipe"]

logger = logging.getLogger(__name__)

#: What a Bento runs in, once it is there.
Built = Environment | OciImage

#: Builds, and transfers to registries, at the same time.
AT_ONCE = 6
#: Base images that add nothing to Python, as BentoML writes them by default.
PLAIN_BASE_IMAGE = re.compile(r"^python:\d+\.\d+(\.\d+)?(-slim)?(-(bookworm|bullseye|trixie))?$")
#: System packages that every image of BentoML gets (`default_install_command` of Debian).
DEFAULT_SYSTEM_PACKAGES = frozenset({"ca-certificates", "gnupg2", "bash", "build-essential", "git"})


@dataclass(frozen=True)
class Recipe:
    """What a Bento's image is made of.

    Attributes:
        key: Content hash.
        requirements: Text of the requirements file; of an OCI image "".
        python: Version of Python, e.g. "3.11".
        directory: Folder that relative paths in the requirements start from; of an OCI image the Bento's.
        is_oci: It is an OCI image, not an environment.
        needs: Why an environment would not do, in words; "" when it would.
    """

    key: str
    requirements: str
    python: str
    directory: Path
    is_oci: bool = False
    needs: str = ""


def read_recipe(bento: Path, *, oci: bool = False) -> Recipe:
    """What the image of the Bento in this folder is made of.

    Args:
        bento: The folder.
        oci: It is to be an OCI image, also where an environment would do.

    Raises:
        EnvironmentBuildError: It is no Bento that this cloud can serve.
        OSError: It is not there.
    """
    try:
        file = (bento / "bento.yaml").stat()
        return _read_recipe(bento, oci, (file.st_ino, file.st_mtime_ns))
    except (EnvironmentBuildError, OSError):
        raise
    except Exception as error:  # whatever somebody has packed: YAML that is none, or of another shape
        raise EnvironmentBuildError(
            f"the Bento's bento.yaml cannot be read: {type(error).__name__}: {error}",
            hint="build the Bento again, and push it again",
        ) from error


@functools.lru_cache(maxsize=256)
def _read_recipe(bento: Path, oci: bool, _written: tuple[int, int]) -> Recipe:
    """Read once: parsing takes longer than all else when many deployments run one Bento."""
    manifest = yaml.safe_load((bento / "bento.yaml").read_text(encoding="utf-8")) or {}
    image = manifest.get("image") or {}
    if not manifest:
        raise EnvironmentBuildError(
            "the Bento's bento.yaml is empty", hint="build it again, and push it again"
        )
    needs = needs_container(manifest)
    if needs or oci:
        python = str(image.get("python_version") or "")
        return Recipe(oci_key(bento), "", python, bento, is_oci=True, needs=needs)
    file = bento / "env" / "python" / "requirements.txt"
    text = file.read_text(encoding="utf-8") if file.is_file() else str(image.get("python_requirements") or "")
    python = str(image.get("python_version") or this_minor())
    directory = bento / "src" if (bento / "src").is_dir() else bento
    return Recipe(environment_key(text, python, directory), text, python, directory)


def needs_container(manifest: Mapping[str, Any]) -> str:
    """What the Bento needs besides Python packages, in words; "" when nothing: an environment will do.

    Args:
        manifest: Its `bento.yaml`, or what the client says of it when it registers it.
    """
    image: Mapping[str, Any] = manifest.get("image") or {}
    if int(manifest.get("spec") or 1) < 2 or not image:
        return (
            "it was built in the container format of BentoML before 1.4 (conda, CUDA or Dockerfile options)"
        )
    base = str(image.get("base_image") or "")
    if base and not PLAIN_BASE_IMAGE.match(base):
        return f"it is based on the container image {base!r}"
    needs: list[str] = []
    for command in [*(image.get("commands") or []), *(image.get("post_commands") or [])]:
        packages = system_packages(str(command))
        if packages is None:
            needs.append(f"the setup command {str(command)!r}")
        elif packages - DEFAULT_SYSTEM_PACKAGES:
            needs.append("the system packages " + ", ".join(sorted(packages - DEFAULT_SYSTEM_PACKAGES)))
    return "it needs " + " and ".join(needs) if needs else ""


def system_packages(command: str) -> frozenset[str] | None:
    """The packages that an `apt-get install` of BentoML's form installs; None when it is another command."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if words[:3] == ["apt-get", "update", "&&"]:
        words = words[3:]
    if words[:2] != ["apt-get", "install"] or any(word in {"&&", "||", ";", "|"} for word in words):
        return None
    # `-o` takes a value, such as Dpkg::Options::=--force-confdef.
    return frozenset(
        word for before, word in itertools.pairwise(words[1:]) if before != "-o" and not word.startswith("-")
    )


@contextlib.contextmanager
def build_envs(secrets: ResolvedSecrets) -> Iterator[dict[str, str]]:
    """Variables of a build: its secrets, and for as long as it runs a `BENTOML_HOME` with their files."""
    if not secrets.files:
        yield dict(secrets.envs)
        return
    with tempfile.TemporaryDirectory(prefix="bento-jupyter-build-") as folder:
        write_files(Path(folder), secrets.files)
        yield {**secrets.envs, "BENTOML_HOME": folder}


class Images:
    """Builds the images of Bentos, each once, whoever asks.

    Args:
        home: Where environments and logs are.
        changed: Called on the event loop with the key of an image whose state has changed.
        builders: What finds the builder of OCI images; None = the first that works.

    Attributes:
        builders: As given.
    """

    def __init__(
        self,
        home: Home,
        changed: Callable[[str], None] = lambda _key: None,
        builders: Builders | None = None,
    ) -> None:
        self.builders = builders or Builders()
        self._home = home
        self._changed = changed
        self._builds: dict[str, asyncio.Task[Built]] = {}
        self._views: dict[str, ImageView] = {}
        #: Built or found in this run. Who asks for one of these changes nothing for all others that use it.
        self._ready: dict[str, Built] = {}
        self._sizes: dict[str, int] = {}
        self._cancelled = threading.Event()
        #: Of their own: builds take minutes, and everything else must not wait for a thread meanwhile.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="image")

    def log_path(self, key: str) -> Path:
        """File with the log of an image's build."""
        return self._home.logs / "images" / f"{key}.log"

    def view(self, key: str) -> ImageView:
        """An image as it is now."""
        return self._views.get(key) or ImageView(key=key, status="pending")

    def all(self) -> list[ImageView]:
        """All images that this cloud has built or used, newest first. Reads the disk: call it in a thread."""
        logs = {path.stem: path.stat().st_mtime for path in (self._home.logs / "images").glob("*.log")}
        found = []
        for key, at in sorted(logs.items(), key=lambda item: -item[1]):
            written: dict[str, Any] = {
                "at": datetime.fromtimestamp(at, timezone.utc),
                "log": str(self.log_path(key)),
            }
            folder = self._home.environments / key
            is_there = (folder / COMPLETE).exists()
            image = None if is_there else recorded(self._home, key)
            if image is not None:
                view = self._views.get(key) or _view_of(image)
            else:
                view = self._views.get(key) or ImageView(key=key, status="success" if is_there else "pending")
            if is_there:
                written["size_bytes"] = self._size(folder)
            found.append(view.model_copy(update=written))
        return found

    def _size(self, folder: Path) -> int:
        """Size of an environment, which never changes once it is there."""
        if folder.name not in self._sizes:
            self._sizes[folder.name] = size_of(folder)
        return self._sizes[folder.name]

    async def ensure(self, recipe: Recipe, secrets: ResolvedSecrets = NO_SECRETS) -> Built:
        """The image of a recipe; waits for its build, and begins it when nobody has.

        Args:
            recipe: What it is made of.
            secrets: What a build that is begun may use: variables and files, for indexes that ask who comes.

        Raises:
            EnvironmentBuildError: It cannot be built.
        """
        ready = self._ready.get(recipe.key)
        if ready is not None and await asyncio.to_thread(is_there, ready):
            return ready
        build = self._builds.get(recipe.key)
        if build is None:
            build = asyncio.create_task(self._build(recipe, secrets), name=f"image {recipe.key}")
            self._builds[recipe.key] = build
            build.add_done_callback(lambda _task: self._builds.pop(recipe.key, None))
        return await asyncio.shield(build)

    async def push(
        self, image: OciImage, destination: str, say: Callable[[str], None], cancelled: threading.Event
    ) -> ImageView:
        """Send an OCI image to a registry; what is said of it is in the image's log, too.

        Args:
            image: The image.
            destination: `REGISTRY/REPOSITORY:TAG`.
            say: Called with each line, in another thread.
            cancelled: Ends it when set.

        Raises:
            EnvironmentBuildError: It was refused, or the registry was not reached.
        """

        def send() -> None:
            with self.log_path(image.key).open("a", encoding="utf-8", buffering=1) as file:

                def log(line: str) -> None:
                    file.write(f"{utc_now():%Y-%m-%dT%H:%M:%S.%f%z} {line}\n")
                    say(line)

                try:
                    push(image, destination, log, cancelled)
                except EnvironmentBuildError as error:
                    log(f"failed: {error.message}")
                    raise
                log(f"image {image.key}: pushed to {destination}")

        await asyncio.get_running_loop().run_in_executor(self._threads, send)
        return self.view(image.key)

    async def close(self) -> None:
        """End the builds that are under way."""
        self._cancelled.set()
        if self._builds:
            await asyncio.wait(list(self._builds.values()), timeout=10)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _build(self, recipe: Recipe, secrets: ResolvedSecrets) -> Built:
        kind = "oci" if recipe.is_oci else "environment"
        self._show(ImageView(key=recipe.key, kind=kind, status="building"))
        try:
            loop = asyncio.get_running_loop()
            built = await loop.run_in_executor(self._threads, self._prepare, recipe, secrets)
        except EnvironmentBuildError as error:
            self._show(ImageView(key=recipe.key, kind=kind, status="failed", reason=error.message))
            raise
        except Exception as error:  # whatever it was, nobody waits for it any longer
            what = "the machine refused" if isinstance(error, OSError) else type(error).__name__
            reason = f"{what}: {error}"
            self._show(ImageView(key=recipe.key, kind=kind, status="failed", reason=reason))
            raise EnvironmentBuildError(reason) from error
        self._show(_view_of(built))
        self._ready[recipe.key] = built
        return built

    def _show(self, view: ImageView) -> None:
        self._views[view.key] = view.model_copy(update={"log": str(self.log_path(view.key))})
        self._changed(view.key)

    def _prepare(self, recipe: Recipe, secrets: ResolvedSecrets) -> Built:
        path = self.log_path(recipe.key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_first = not path.exists()
        with path.open("a", encoding="utf-8", buffering=1) as file:

            def log(line: str) -> None:
                file.write(f"{utc_now():%Y-%m-%dT%H:%M:%S.%f%z} {line}\n")

            try:
                with build_envs(secrets) as envs:
                    make = self._make_oci if recipe.is_oci else self._make_environment
                    built = make(recipe, log, envs)
            except EnvironmentBuildError as error:
                log(f"failed: {error.message}")
                raise
            what = _words_for(built, recipe)
            if not built.cached:
                log(f"image {recipe.key}: built {what} after {built.seconds:.2f} s")
            elif is_first:  # of later deployments nothing is written: they share this log
                log(f"image {recipe.key}: was there already, {what}")
        return built

    def _make_environment(self, recipe: Recipe, log: Log, envs: Mapping[str, str]) -> Environment:
        return prepare(
            self._home,
            recipe.requirements,
            python=recipe.python,
            directory=recipe.directory,
            log=log,
            bytecode_from=[Path(entry) for entry in sys.path if entry.endswith("site-packages")],
            cancelled=self._cancelled,
            secrets=envs,
        )

    def _make_oci(self, recipe: Recipe, log: Log, envs: Mapping[str, str]) -> OciImage:
        try:
            builder = self.builders.find()
        except NoBuilderError as error:
            why = f"{recipe.needs}, and {error.message}" if recipe.needs else error.message
            raise NoBuilderError(why, hint=error.hint) from error
        return containerize(
            self._home,
            recipe.directory,
            recipe.key,
            builder,
            log=log,
            cancelled=self._cancelled,
            secrets={name: value for name, value in envs.items() if name != "BENTOML_HOME"},
        )


def is_there(built: Built) -> bool:
    """Whether an image has not been deleted since it was made; asks the program that keeps it."""
    if isinstance(built, OciImage):
        return built.is_there
    return (built.path / COMPLETE).exists()


def _view_of(built: Built) -> ImageView:
    """How an image that is there is shown."""
    view = ImageView(key=built.key, status="success", seconds=round(built.seconds, 3), cached=built.cached)
    if not isinstance(built, OciImage):
        return view
    return view.model_copy(
        update={
            "kind": "oci",
            "size_bytes": built.size_bytes,
            "digest": built.digest,
            "reference": built.reference,
            "builder": built.builder,
        }
    )


def _words_for(built: Built, recipe: Recipe) -> str:
    if isinstance(built, OciImage):
        return f"as {built.reference} {built.digest} by {built.builder}"
    return f"for Python {recipe.python}"
