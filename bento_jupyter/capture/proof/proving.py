"""The proof: a built Bento, in its own environment, answers as the objects in the notebook did."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bento_jupyter.environments import environment_key
from bento_jupyter.errors import ProofError, ReplicaStartError
from bento_jupyter.home import Home
from bento_jupyter.launcher import INHERITED_ENVS, log_tail

from ..packages.cleanrun import missing_modules
from ..project.build import model_folders, read_yaml, store
from .cases import CaseDifference, EndpointProof, read_pairs, send_all
from .compare import TOLERANCE
from .exchange import Exchange
from .stage import Stage, environment_of, running, set_stage

__all__ = [
    "CaseDifference",
    "EndpointProof",
    "Proof",
    "Stage",
    "model_folders",
    "prove",
    "running",
    "set_stage",
]

#: Seconds that an answer of a deployment may take: an instance may have to start first.
LIVE_TIMEOUT = 660
#: How code reads an environment variable.
VARIABLE = re.compile(r"""(?:environ(?:\.get|\.setdefault|\.pop)?\s*[\[(]|getenv\s*\()\s*["'](\w+)["']""")
#: Code of every Bento that is none of the notebook's.
CODEC_PACKAGE = "bento_codec"
SHIPPED_MODULES = ("test_parity.py", "model_files.py")
#: Differences that a message names; the proof has them all.
MOST_NAMED = 5

Say = Callable[[str], None]


@dataclass(frozen=True)
class Proof:
    """That a Bento answers as the objects in the notebook did, or where it does not.

    Attributes:
        tag: The Bento.
        endpoints: One entry per endpoint.
        seconds: How long it took, the environment not counted.
        environment_key: Key of the environment it ran in; "" when a deployment was asked.
        at: When.
        url: The deployment that was asked; "" when the Bento ran in an environment of its own.
    """

    tag: str
    endpoints: list[EndpointProof]
    seconds: float
    environment_key: str
    at: datetime
    url: str = ""

    @property
    def equal(self) -> bool:
        """True when every answer is the same."""
        return all(point.equal for point in self.endpoints)

    @property
    def max_difference(self) -> float:
        """Largest difference of all endpoints."""
        return max((point.max_difference for point in self.endpoints), default=0.0)

    @property
    def differences(self) -> list[str]:
        """All differences, each with endpoint, case, place and both values."""
        return [f"/{point.name}, {detail}" for point in self.endpoints for detail in point.details]

    @property
    def line(self) -> str:
        """The proof in one line, e.g. "3 endpoints, 5 rows each, max difference 0"."""
        found = self.differences
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            return f"different: {found[0]}{more}"
        count, rows = len(self.endpoints), {point.rows for point in self.endpoints}
        each = " each" if count > 1 else ""
        sent = sum(point.cases for point in self.endpoints)
        size = max(rows, default=0)
        if len(rows) == 1 and size:
            what = f"{size} row{'s' * (size != 1)}{each}"
        else:
            what = f"{sent} case{'s' * (sent != 1)}"
        line = f"{count} endpoint{'s' * (count != 1)}, {what}, max difference {self.max_difference:g}"
        return line if not self.max_difference else f"{line} (relative {TOLERANCE:g} allowed)"

    def __str__(self) -> str:
        return f"{self.tag}: {self.line}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"{'✓' if self.equal else '✗'} {self}")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from bento_jupyter.display.builds import proof_card

        return proof_card(self)


def prove(
    bento: Path | str,
    *,
    home: Home,
    stage: Stage | None = None,
    progress: Say | None = None,
    allow_different: bool = False,
    url: str = "",
    token: str | None = None,
) -> Proof:
    """Send a Bento the cases it carries, compare the answers with the notebook's.

    It runs in its own environment, with nothing of the notebook around it; or, with `url`, where it was
    deployed. Each case is sent as JSON, twice, and in every other way that the endpoint knows; the first one
    again at the end.

    Args:
        bento: Folder of a Bento, or its tag `name:version` in the local store.
        home: Where environments and sockets live.
        stage: Made before by `set_stage`; closed by its maker. None = one of its own.
        progress: Called with one line per step.
        allow_different: Return the proof when answers differ, too.
        url: A deployment of the Bento; "" = none.
        token: Token of a protected deployment.

    Returns:
        The proof.

    Raises:
        ProofError: An answer differs (endpoint, case, row, column, expected and served are named), the Bento
            does not start or a module is missing (`missing_module`), or it has no cases.
        EnvironmentBuildError: Its environment could not be made.
    """
    say = progress or (lambda _line: None)
    path = bento if isinstance(bento, Path) else stored(bento)
    pairs = read_pairs(path)
    if url:
        with deployed(url) as client:
            tag, _python = identify(path)
            begin = time.perf_counter()
            results = send_all(Exchange(client, pairs.types, token), pairs, say, lambda: "")
            proof = Proof(
                tag, results, time.perf_counter() - begin, "", datetime.now(timezone.utc), url=url.rstrip("/")
            )
        return judged(proof, path, allow_different)
    tag, python = identify(path)
    requirements = (path / "env" / "python" / "requirements.txt").read_text(encoding="utf-8")
    key = environment_key(requirements, python, path / "src")
    if stage is None or stage.environment.key != key:
        environment = environment_of(requirements, python, path / "src", home, log=say)
        with closing(Stage(environment, home)) as own:
            return prove(path, home=home, stage=own, progress=progress, allow_different=allow_different)
    say("starting")
    begin = time.perf_counter()
    try:
        with running(path, stage) as client:
            exchange = Exchange(client, pairs.types)
            results = send_all(exchange, pairs, say, lambda: log_tail(stage.log, 200))
    except ReplicaStartError as error:
        log = error.traceback or error.log
        raise ProofError(
            f"{tag} does not start: {error.message.partition(': ')[2] or error.message}",
            hint=hint_for(path, log),
            missing_module=missing_module(log),
            log=log,
        ) from error
    proof = Proof(tag, results, time.perf_counter() - begin, key, datetime.now(timezone.utc))
    return judged(proof, path, allow_different)


def judged(proof: Proof, bento: Path, allow_different: bool) -> Proof:
    """The proof, when it is one, or when another is allowed.

    Raises:
        ProofError: An answer differs, or a module was missing.
    """
    found = proof.differences
    log = next((detail.log for point in proof.endpoints for detail in point.details if detail.log), "")
    missing = missing_module(log)
    if not found or (allow_different and not missing):
        return proof
    named = "; ".join(found[:MOST_NAMED])
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    raise ProofError(
        f"{proof.url or proof.tag} answers otherwise than the notebook: {named}{more}",
        hint=hint_for(bento, log),
        missing_module=missing,
        log=log,
        proof=proof,
    )


def hint_for(bento: Path, log: str) -> str:
    """What to do about a proof that failed; `log` is what the service wrote about it."""
    missing = missing_module(log)
    if missing:
        return f"nothing in the notebook showed that it needs {missing}: import it in a cell and build again"
    variables = kernel_variables(bento)
    if variables:
        return (
            f"its code reads {', '.join(variables)} of the environment, which only the notebook has: bind "
            f"the value to a name in a cell, or give it to the deployment: --env {variables[0]}=..."
        )
    if "FileNotFoundError" in log:
        return "read the file in a cell and use what was read: then it goes along"
    return "it may depend on something that is not in the Bento; --allow-different builds it all the same"


def kernel_variables(bento: Path) -> list[str]:
    """Environment variables that a Bento's code reads and that the notebook has, but not its clean run."""
    found: dict[str, None] = {}
    for file in sorted((bento / "src").rglob("*.py")):
        if file.parent.name != CODEC_PACKAGE and file.name not in SHIPPED_MODULES:
            text = file.read_text(encoding="utf-8", errors="replace")
            found.update(dict.fromkeys(match[1] for match in VARIABLE.finditer(text)))
    return [name for name in found if name in os.environ and name not in INHERITED_ENVS]


def missing_module(log: str) -> str:
    """The module that a service did not find; "" when it found all."""
    found = missing_modules(log)
    return found[-1] if found else ""


@contextmanager
def deployed(url: str) -> Iterator[Any]:
    """An HTTP client of a deployment."""
    import httpx

    with httpx.Client(base_url=url.rstrip("/"), timeout=LIVE_TIMEOUT, follow_redirects=True) as client:
        try:
            yield client
        except httpx.TransportError as error:
            raise ProofError(
                f"no answer from {url}: {error}", hint="%bento_status shows how the deployment is"
            ) from error


# ------------------------------------------------------------------------------------ the store


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


def identify(bento: Path) -> tuple[str, str]:
    """Tag and version of Python of a Bento."""
    info = read_yaml(bento / "bento.yaml")
    return f"{info['name']}:{info['version']}", str(info["image"]["python_version"])
