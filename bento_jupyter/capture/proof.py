"""The proof: a built Bento, in its own environment, answers the sample as the object in the notebook did."""

from __future__ import annotations

import json
import shutil
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bento_jupyter.codec import CodecError, decode, descriptor_from_schema
from bento_jupyter.environments import Environment, environment_key, prepare
from bento_jupyter.errors import ProofError
from bento_jupyter.home import Home
from bento_jupyter.launcher import launch_replica

from .build import model_folders, read_yaml, store
from .compare import TOLERANCE, compare
from .plan import Plan
from .project import requirements_txt

if TYPE_CHECKING:
    import httpx

__all__ = ["EndpointProof", "Proof", "Stage", "prove", "set_stage"]

#: Seconds that a Bento may take to start, and an answer to come.
START_TIMEOUT = 120
ANSWER_TIMEOUT = 120

Say = Callable[[str], None]


@dataclass(frozen=True)
class EndpointProof:
    """How one endpoint did.

    Attributes:
        name: Its name.
        rows: Rows sent.
        max_difference: Largest absolute difference between expected and served numbers.
        equal: True when values, dtype, shape, columns and labels are the same.
        detail: The first difference, "" when equal.
    """

    name: str
    rows: int
    max_difference: float
    equal: bool
    detail: str = ""


@dataclass(frozen=True)
class Proof:
    """That a Bento answers as the object in the notebook did.

    Attributes:
        tag: The Bento.
        endpoints: One entry per endpoint.
        seconds: How long it took, the environment not counted.
        environment_key: Key of the environment it ran in.
        at: When.
    """

    tag: str
    endpoints: list[EndpointProof]
    seconds: float
    environment_key: str
    at: datetime

    @property
    def max_difference(self) -> float:
        """Largest difference of all endpoints."""
        return max((point.max_difference for point in self.endpoints), default=0.0)

    @property
    def line(self) -> str:
        """The proof in one line, e.g. "3 endpoints, 5 rows each, max difference 0"."""
        count = len(self.endpoints)
        rows = self.endpoints[0].rows if self.endpoints else 0
        each = " each" if count > 1 else ""
        line = f"{count} endpoint{'s' * (count != 1)}, {rows} row{'s' * (rows != 1)}{each}, "
        line += f"max difference {self.max_difference:g}"
        return line if not self.max_difference else f"{line} (relative {TOLERANCE:g} allowed)"

    def __str__(self) -> str:
        return f"{self.tag}: {self.line}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"✓ {self}")


class Stage:
    """Where a Bento will be proven: its environment, and in it a replica that has imported what it needs.

    It does not need the Bento, so it is made while that is built. Use it once, then `close` it.

    Args:
        environment: The environment.
        home: Where sockets live.
        imports: Modules that the Bento will import.
    """

    def __init__(self, environment: Environment, home: Home, imports: Iterable[str] = ()) -> None:
        self.environment = environment
        home.create()
        self.work = Path(tempfile.mkdtemp(prefix="bento-proof-"))
        self.socket = Path(tempfile.mkdtemp(prefix="p", dir=home.sockets)) / "s"
        try:
            self.replica = launch_replica(
                environment.python,
                None,
                self.socket,
                imports=imports,
                log=self.work / "replica.log",
                scratch=self.work / "scratch",
            )
        except BaseException:
            self._remove()
            raise

    def close(self) -> None:
        """End the replica and remove what it used."""
        self.replica.stop()
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.rmtree(self.socket.parent, ignore_errors=True)


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
    bentoml = next(pin for pin in plan.lock if pin.startswith("bentoml=="))
    environment = _environment(f"{requirements_txt(plan)}{bentoml}\n", plan.python, home, log, cancelled)
    return Stage(environment, home, sorted({*plan.contents.modules, "joblib"}))


def _environment(
    requirements: str,
    python: str,
    home: Home,
    log: Say | None,
    cancelled: threading.Event | None = None,
) -> Environment:
    folders = dict.fromkeys(Path(sysconfig.get_path(name)) for name in ("purelib", "platlib"))
    return prepare(
        home, requirements, python=python, log=log, bytecode_from=list(folders), cancelled=cancelled
    )


def prove(bento: Path | str, *, home: Home, stage: Stage | None = None, progress: Say | None = None) -> Proof:
    """Run a Bento in its own environment, send it its sample, compare the answers with the notebook's.

    Args:
        bento: Folder of a Bento, or its tag `name:version` in the local store.
        home: Where environments and sockets live.
        stage: Made before by `set_stage`; closed by its maker. None = one of its own.
        progress: Called with one line per step.

    Returns:
        The proof.

    Raises:
        ProofError: An answer differs (endpoint, row, column, expected and served are named), or the Bento
            has no sample.
        EnvironmentBuildError: Its environment could not be made.
        ReplicaStartError: It did not start.
    """
    say = progress or (lambda _line: None)
    path = bento if isinstance(bento, Path) else stored(bento)
    sample, expected, types = read_proof(path)
    tag, python = identify(path)
    requirements = (path / "env" / "python" / "requirements.txt").read_text(encoding="utf-8")
    begin = time.perf_counter()
    key = environment_key(requirements, python)
    if stage is None or stage.environment.key != key:
        with closing(Stage(_environment(requirements, python, home, say), home)) as own:
            return prove(path, home=home, stage=own, progress=progress)
    say("starting")
    results = []
    with running(path, stage) as client:
        routes = {
            route["name"]: route for route in answered(client.get("/schema.json"), "/schema.json")["routes"]
        }
        for name, types_of in types.items():
            wanted = decode(expected[name], types_of["output"])
            result = ask(client, name, routes, sample, wanted)
            results.append(result)
            say(f"{name}: {result.rows} rows, {'the same' if result.equal else result.detail}")
    wrong = [f"/{result.name}, {result.detail}" for result in results if not result.equal]
    if wrong:
        raise ProofError(
            f"{tag} answers otherwise than the object in the notebook: {'; '.join(wrong)}",
            hint="the object may depend on something that is not in the Bento",
        )
    return Proof(tag, results, time.perf_counter() - begin, key, datetime.now(timezone.utc))


def ask(client: httpx.Client, name: str, routes: dict[str, Any], sample: Any, wanted: Any) -> EndpointProof:
    """Send the sample to one endpoint as a remote client would: what the answer is, `/schema.json` says."""
    rows = len(next(iter(sample.values())))
    if name not in routes:
        raise ProofError(f"the Bento has no endpoint {name!r}")
    data = answered(client.post(routes[name]["route"], json=sample), f"/{name}")
    try:
        served = decode(data, descriptor_from_schema(routes[name]["output"]))
    except CodecError as error:
        return EndpointProof(name, rows, float("inf"), False, str(error))
    difference = compare(wanted, served)
    return EndpointProof(name, rows, difference.max_difference, difference.equal, difference.detail)


def answered(response: httpx.Response, what: str) -> Any:
    """The JSON of an answer.

    Raises:
        ProofError: There was none.
    """
    if response.status_code != 200:
        raise ProofError(f"{what} answered {response.status_code}: {response.text[:500]}")
    return response.json()


@contextmanager
def running(bento: Path, stage: Stage) -> Iterator[httpx.Client]:
    """A client of the Bento, which runs meanwhile as it runs in the cloud: with its models beside it."""
    import httpx

    stage.replica.order(with_models(bento, stage.work / "bento"))
    stage.replica.wait_ready(START_TIMEOUT)
    transport = httpx.HTTPTransport(uds=str(stage.socket))
    with httpx.Client(transport=transport, base_url="http://bento", timeout=ANSWER_TIMEOUT) as client:
        yield client


def with_models(bento: Path, folder: Path) -> Path:
    """A Bento as it is unpacked on a server: its files, and its models below `models/`, which are links.

    Its source is copied: Python writes bytecode beside it, which must not get into the Bento.
    """
    folder.mkdir()
    for entry in bento.iterdir():
        if entry.name == "src":
            shutil.copytree(entry, folder / entry.name)
        elif entry.name != "models":
            (folder / entry.name).symlink_to(entry.resolve())
    for model in model_folders(bento):
        place = folder / "models" / model.parent.name
        place.mkdir(parents=True, exist_ok=True)
        (place / model.name).symlink_to(model.resolve())
        (place / "latest").write_text(model.name, encoding="utf-8")
    return folder


def stored(tag: str) -> Path:
    """Folder of a Bento of the local store.

    Raises:
        ProofError: There is none.
    """
    name, _, version = tag.partition(":")
    folder = store() / "bentos" / name
    if version in ("", "latest") and (folder / "latest").is_file():
        version = (folder / "latest").read_text(encoding="utf-8").strip()
    path = folder / version
    if not version or not (path / "bento.yaml").is_file():
        raise ProofError(
            f"the local store has no Bento {tag!r}", hint="%bento_list bentos shows those there are"
        )
    return path


def read_proof(bento: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Sample, expected answers and types that a Bento carries.

    Raises:
        ProofError: It carries none: it was built elsewhere.
    """
    source = bento / "src"
    try:
        sample, expected, types = (
            json.loads((source / name).read_text(encoding="utf-8"))
            for name in ("proof/sample.json", "proof/expected.json", "endpoints.json")
        )
    except FileNotFoundError as error:
        raise ProofError(
            f"the Bento {bento.parent.name}:{bento.name} has no sample to be proven with",
            hint="build it from a live object: %bento_build NAME OBJECT --sample EXPR",
        ) from error
    return sample, expected, types["endpoints"]


def identify(bento: Path) -> tuple[str, str]:
    """Tag and version of Python of a Bento."""
    info = read_yaml(bento / "bento.yaml")
    return f"{info['name']}:{info['version']}", str(info["image"]["python_version"])
