"""Where a Bento is proven: its own environment, and in it a replica that sees nothing of the notebook."""

from __future__ import annotations

import hashlib
import shutil
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bento_jupyter.environments import Environment, prepare
from bento_jupyter.home import Home
from bento_jupyter.launcher import REPLICA_PROGRAM, launch_replica

from ..project.build import model_folders, store

if TYPE_CHECKING:
    import httpx

    from ..plan import Plan

__all__ = ["Stage", "environment_of", "running", "set_stage", "warm_modules", "with_models"]

#: Seconds that a Bento may take to start, and an answer to come.
START_TIMEOUT = 120
ANSWER_TIMEOUT = 120

Say = Callable[[str], None]


class Stage:
    """Where a Bento will be proven: its environment, and in it a replica that has imported what it needs.

    It does not need the Bento, so it is made while that is built. Use it once, then `close` it. The replica
    has a clean set of environment variables, empty folders as `HOME` and `TMPDIR`, the Bento as working
    folder, and Python's isolated mode: nothing on its path but the environment and the Bento. Files in the
    notebook's folder are hidden from it.

    Args:
        environment: The environment.
        home: Where sockets live.
        imports: Modules that the Bento will import.
    """

    def __init__(self, environment: Environment, home: Home, imports: Iterable[str] = ()) -> None:
        self.environment = environment
        imports = list(imports)
        home.create()
        self.work = Path(tempfile.mkdtemp(prefix="bento-proof-"))
        self.socket = Path(tempfile.mkdtemp(prefix="p", dir=home.sockets)) / "s"
        self.log = self.work / "replica.log"
        self._ended = False
        try:
            own = {"HOME": self.work / "home", "TMPDIR": self.work / "tmp"}
            for folder in own.values():
                folder.mkdir()
            self.replica = launch_replica(
                environment.python,
                None,
                self.socket,
                imports=imports,
                envs={name: str(at) for name, at in own.items()},
                log=self.log,
                scratch=self.work / "scratch",
                hidden=notebook_folders(),
                record=record_of(environment, imports),
                kept=[self.work, home.root, store(), REPLICA_PROGRAM.parent],
            )
        except BaseException:
            self._remove()
            raise

    def close(self) -> None:
        """End the replica and remove what it used."""
        if not self._ended:
            self._ended = True
            self.replica.stop()
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.rmtree(self.socket.parent, ignore_errors=True)


def record_of(environment: Environment, imports: Iterable[str]) -> Path:
    """Where a proof's replica writes down what it has imported: a cloud's zygotes begin with that."""
    digest = hashlib.sha256(repr(sorted(imports)).encode()).hexdigest()[:16]
    return environment.imports / f"proof-{digest}.json"


def notebook_folders() -> list[Path]:
    """The folder that the notebook works in, unless it is one that everything is in."""
    folder = Path.cwd()
    return [folder] if folder.parent != folder else []


def set_stage(
    plan: Plan, home: Home, *, log: Say | None = None, cancelled: threading.Event | None = None
) -> Stage:
    """Make the environment that a plan's Bento will run in, and warm a replica up in it.

    Args:
        plan: The plan.
        home: Where environments and sockets live.
        log: Called with each line that making the environment says.
        cancelled: Ends the making of the environment when set.

    Raises:
        EnvironmentBuildError: See `environments.prepare`.
    """
    from ..packages.wheels import make_wheel
    from ..project.writing import requirements_txt

    bentoml = next(pin for pin in plan.lock if pin.startswith("bentoml=="))
    with tempfile.TemporaryDirectory(prefix="bento-wheels-") as folder:
        wheels = [make_wheel(name, Path(folder) / "wheels").name for name in plan.local]
        requirements = f"{requirements_txt(plan, wheels)}{bentoml}\n"
        environment = environment_of(
            requirements, plan.python, Path(folder), home, log=log, cancelled=cancelled
        )
    return Stage(environment, home, warm_modules(plan))


def warm_modules(plan: Plan) -> list[str]:
    """Modules of libraries that the plan's Bento will import."""
    modules = {module for saved in plan.objects.saved.values() for module in saved.modules}
    modules |= set(plan.code.used_modules)
    # What the codec imports when the first table comes.
    kinds = {
        descriptor["kind"]
        for point in plan.endpoints
        for descriptor in (point.output, *(parameter.descriptor for parameter in point.parameters))
        if descriptor
    }
    modules |= {"pandas"} if kinds & {"frame", "series"} else set()
    modules |= {"pyarrow"} if kinds & {"array", "frame", "series"} else set()
    own = {module.name for module in plan.modules}
    return sorted(module for module in modules if module.partition(".")[0] not in own)


def environment_of(
    requirements: str,
    python: str,
    directory: Path,
    home: Home,
    *,
    log: Say | None = None,
    cancelled: threading.Event | None = None,
) -> Environment:
    """The environment with these requirements, with the kernel's bytecode where it has the same files.

    Args:
        requirements: Text of a requirements file.
        python: Version of Python.
        directory: Folder that paths of wheels start from.
        home: Where environments live.
        log: Called with each line that making it says.
        cancelled: Ends the making when set.
    """
    folders = dict.fromkeys(Path(sysconfig.get_path(name)) for name in ("purelib", "platlib"))
    return prepare(
        home, requirements, python=python, directory=directory, log=log, bytecode_from=list(folders),
        cancelled=cancelled,
    )  # fmt: skip


@contextmanager
def running(bento: Path, stage: Stage) -> Iterator[httpx.Client]:
    """A client of the Bento, which runs meanwhile as it runs in the cloud: with its models beside it.

    Raises:
        ReplicaStartError: It did not start.
    """
    import httpx

    stage.replica.order(with_models(bento, stage.work / "bento"))
    stage.replica.wait_ready(START_TIMEOUT)
    transport = httpx.HTTPTransport(uds=str(stage.socket))
    with httpx.Client(transport=transport, base_url="http://bento", timeout=ANSWER_TIMEOUT) as client:
        yield client


def with_models(bento: Path, folder: Path) -> Path:
    """A Bento as it is unpacked on a server: a copy of its files, and its models below `models/`, as links.

    A copy, since Python writes bytecode beside the source, which must not get into the Bento. A Bento that
    comes with its models keeps them; those of others are in the store.
    """
    shutil.copytree(bento, folder)
    for model in model_folders(bento):
        place = folder / "models" / model.parent.name
        place.mkdir(parents=True, exist_ok=True)
        if not (place / model.name).exists():
            (place / model.name).symlink_to(model.resolve())
            (place / "latest").write_text(model.name, encoding="utf-8")
    return folder
