"""Build and prove: from objects of the notebook to a Bento of the local store."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..client.cloud import Cloud
from ..client.local import stored
from ..display.progress import Progress
from ..errors import BuildError, NotFoundError, ProofError
from ..home import Home
from ..proofs import ProofNote, keep
from .artifacts import BuiltBento
from .steps import BUILD_STEPS, shown_by

if TYPE_CHECKING:
    from ..capture import Builder, Plan, Proof

__all__ = ["build", "export", "plan", "prove"]


def plan(
    name: str,
    obj: Any,
    *,
    sample: Any = None,
    endpoints: Sequence[str] | None = None,
    allow_different: bool = False,
) -> Plan:
    """What would go into a Bento and why, and what is refused; nothing is built. Arguments as of `build`.

    Raises:
        BuildError: The object or the sample cannot be built from: where, and how to mend it.

    Example:
        >>> plan("iris", clf, sample=X_test[:5])  # doctest: +SKIP
    """
    from .. import capture

    return capture.make_plan(name, obj, sample=sample, endpoints=endpoints, allow_different=allow_different)


def build(
    name: str,
    obj: Any,
    *,
    sample: Any = None,
    endpoints: Sequence[str] | None = None,
    prove: bool = True,
    allow_different: bool = False,
    progress: Progress | None = None,
) -> BuiltBento:
    """Build a Bento from objects of the notebook, and prove that it answers as they do.

    Args:
        name: Name of the Bento: small letters, digits, `-` and `_`.
        obj: A fitted model of scikit-learn, XGBoost, LightGBM, CatBoost, PyTorch, Keras, ONNX, transformers,
            statsmodels or spaCy; a function; an object or a class of the notebook; a `@bentoml.service`
            class; a list of a function and what is to go along; or the path of a project or service file,
            which is built as `bentoml build` does.
        sample: Input like those that will come: types and proof are taken from it. Rows for a model; for a
            function the value of its one parameter, or a dict or tuple of them; for several endpoints a dict
            by endpoint.
        endpoints: Methods to serve; None = all that suit.
        prove: Run the Bento in its own environment, send it the sample, compare the answers.
        allow_different: Keep the Bento when its answers differ; the proof says so.
        progress: Where to show the steps `build` and `prove`; None = a display of its own.

    Returns:
        The Bento, in the local BentoML store.

    Raises:
        BuildError: The object or the sample cannot be built from; nothing has been written.
        ProofError: The Bento answers otherwise than the object; it has been removed again.

    Example:
        >>> built = build("iris", clf, sample=X_test[:5])  # doctest: +SKIP
        >>> built.proof.line                               # doctest: +SKIP
        '2 endpoints, 5 rows each, max difference 0'
    """
    from .. import capture

    if isinstance(obj, (str, Path)):
        home = _home()
        with shown_by(progress, f"Building {name}", BUILD_STEPS[:1]) as shown, shown.step("build"):
            found = capture.build_directory(name, Path(obj), home)
            shown.detail(found.tag)
        return BuiltBento(found.tag, found.path, found.project)
    home = _home()
    with capture.Builder() as builder:
        planned = capture.make_plan(
            name, obj, sample=sample, endpoints=endpoints, allow_different=allow_different
        )
        try:
            with shown_by(progress, f"Building {name}", BUILD_STEPS if prove else BUILD_STEPS[:1]) as shown:
                if not prove:
                    with shown.step("build"):
                        built = capture.build_project(planned, home, builder)
                        shown.detail(built.tag)
                    return BuiltBento(built.tag, built.path, built.project, planned)
                ready: Builder | None = builder
                while True:
                    try:
                        return _built_and_proven(planned, home, shown, ready, allow_different=allow_different)
                    except ProofError as error:
                        # The clean run found what no evidence in the notebook showed.
                        planned, ready = capture.with_missing(planned, error), None
        finally:
            planned.close()


def _built_and_proven(
    planned: Plan,
    home: Home,
    shown: Progress,
    builder: Builder | None = None,
    *,
    allow_different: bool,
) -> BuiltBento:
    from .. import capture

    cancelled = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        # The stage of the proof does not depend on the Bento, so both are made at the same time.
        setting = pool.submit(capture.set_stage, planned, home, cancelled=cancelled)
        built = None
        try:
            try:
                with shown.step("build"):
                    shown.detail(f"{', '.join(point.name for point in planned.endpoints)}")
                    built = capture.build_project(planned, home, builder)
                    shown.detail(built.tag)
                with shown.step("prove"):
                    shown.detail("its own environment")
                    stage = setting.result()
                    proof = capture.prove(
                        built.path,
                        home=home,
                        stage=stage,
                        progress=shown.detail,
                        allow_different=allow_different,
                    )
                    shown.detail(proof.line)
            finally:
                cancelled.set()
                if setting.exception() is None:
                    setting.result().close()
        except BaseException:
            if built is not None:
                capture.discard(built)
            raise
    _keep(proof, built.path, home)
    return BuiltBento(built.tag, built.path, built.project, planned, proof)


def prove(
    bento: BuiltBento | str,
    *,
    live: bool = False,
    cloud: Cloud | str | None = None,
    progress: Progress | None = None,
) -> Proof:
    """Compare the answers of a Bento, or of a deployment, with those of the notebook's object.

    Args:
        bento: A built Bento or its tag; it is run in its own environment.
        live: `bento` is the name of a deployment: the pairs of its Bento are sent to its URL.
        cloud: Cloud of the deployment, or the name of its context; None = the current one.
        progress: Where to show the step `prove`; None = a display of its own.

    Raises:
        ProofError: An answer differs, or the Bento holds no proof sample.
        NotFoundError: The local store has no such Bento, or the cloud no such deployment.
    """
    from .. import capture

    home = _home()
    if live:
        from .seeing import deployment

        dep = deployment(
            bento if isinstance(bento, str) else bento.tag.partition(":")[0].replace("_", "-"), cloud=cloud
        )
        view = dep.status()
        if view.url is None or view.bento is None:
            raise NotFoundError(f"{view.name} has no URL to be asked at", hint=f"%bento_status {view.name}")
        path = Path(stored(view.bento).path)
        token = dep.cloud.token if view.protected else None
        with shown_by(progress, f"Proving {view.name}", ["prove"]) as shown, shown.step("prove"):
            proof = capture.prove(path, home=home, url=view.url, token=token, progress=shown.detail)
            shown.detail(proof.line)
        return proof
    tag = bento if isinstance(bento, str) else bento.tag
    path = Path(stored(tag).path if isinstance(bento, str) else bento.path)
    with shown_by(progress, f"Proving {tag}", ["prove"]) as shown, shown.step("prove"):
        try:
            proof = capture.prove(path, home=home, progress=shown.detail)
        except ProofError as error:
            if error.proof is not None:
                _keep(error.proof, path, home)
            raise
        shown.detail(proof.line)
    _keep(proof, path, home)
    return proof


def _keep(proof: Proof, bento: Path, home: Home) -> None:
    """Note down how a proof came out, for who looks at the Bento later: the sidebar."""
    from ..capture.project.build import read_yaml

    built_at = read_yaml(bento / "bento.yaml").get("creation_time")
    note = ProofNote(equal=proof.equal, line=proof.line, at=proof.at, built_at=built_at)
    with suppress(OSError):  # it is the proof that counts, and it has been shown
        keep(home, proof.tag, note)


def export(bento: BuiltBento | str, directory: str | Path) -> Path:
    """Write the project of a Bento into a folder: readable, complete, built by plain `bentoml build`.

    Args:
        bento: A built Bento or its tag in the local store.
        directory: A folder that is not there yet, or empty.

    Returns:
        The folder.

    Raises:
        NotFoundError: The local store has no such Bento.
        BuildError: There is something in the folder already.

    Example:
        >>> export("iris", "iris-project")  # doctest: +SKIP
    """
    from .. import capture

    tag = bento if isinstance(bento, str) else bento.tag
    return capture.export_project(Path(stored(tag).path), Path(directory).expanduser())


def _home() -> Home:
    home = Home.default()
    try:
        home.create()
    except OSError as error:
        raise BuildError(
            f"nothing can be written in {home.root}: {error}",
            hint="BENTO_JUPYTER_HOME names the folder to use",
        ) from error
    return home
