"""Writes the project: the readable folder that a Bento is built from, complete without bento_jupyter."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import bento_jupyter
from bento_jupyter.codec import describe, encode, encode_answer
from bento_jupyter.errors import BuildError

from ..packages.distributions import pin_name
from ..packages.wheels import make_wheel
from ..parts import NOTEBOOK_MODULE, Case
from ..plan import EndpointPlan, Plan
from ..report import in_words
from .service import (
    CODEC_PACKAGE,
    MODELS_MODULE,
    class_name,
    notebook_source,
    service_source,
    stream_of,
)

__all__ = ["content_version", "requirements_txt", "write_project"]

#: The codec, of which each Bento gets its own copy.
CODEC = Path(bento_jupyter.__file__).parent / "codec"
SHIPPED = Path(__file__).parent / "shipped"
#: Top-level modules of every project: no module of the user's can be called so.
OWN_MODULES = frozenset(["service", "test_parity", CODEC_PACKAGE, MODELS_MODULE, NOTEBOOK_MODULE])
#: Of `model/` only this goes into the Bento: the objects go into BentoML's model store.
MODEL_ABOUT = "model/model.json"


def write_project(plan: Plan, directory: Path) -> Path:
    """Write the project of a plan as `<directory>/<name>-<version>`; the version follows from its content.

    Args:
        plan: What to write.
        directory: Folder of projects.

    Returns:
        The project's folder; one that is there already with the same content is left as it is.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{plan.name}-", dir=directory))
    try:
        fill(plan, unfinished)
        target = directory / f"{plan.name}-{content_version(unfinished)}"
        try:
            os.replace(unfinished, target)
        except OSError:
            if not target.is_dir() or content_version(target) != content_version(unfinished):
                shutil.rmtree(target, ignore_errors=True)
                os.replace(unfinished, target)
        return target
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def content_version(project: Path) -> str:
    """The version that the content of a project comes to: 16 letters and digits, as BentoML's own."""
    digest = hashlib.sha256()
    for path in sorted(project.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(project).as_posix()}\0{content}\0".encode())
    return short(digest.digest())


def short(digest: bytes) -> str:
    """16 small letters and digits of a hash."""
    return base64.b32encode(digest[:10]).decode("ascii").lower()


def fill(plan: Plan, folder: Path) -> None:
    """Write all files of a project."""
    (folder / "proof").mkdir()
    tag = model_tag(plan)
    if tag is not None:
        write_model(plan, folder / "model", tag)
        shutil.copyfile(SHIPPED / "model_files.py", folder / f"{MODELS_MODULE}.py")
    write_json(folder / "endpoints.json", {"endpoints": endpoint_types(plan)})
    write_json(folder / "proof" / "cases.json", {"cases": list(cases(plan))})
    own = {path.split("/")[0].removesuffix(".py") for module in plan.modules for path in module.files}
    if taken := sorted(own & OWN_MODULES):
        raise BuildError(
            f"a module of yours is called {taken[0]}, and so is one of every project", hint="rename yours"
        )
    for module in plan.modules:
        for inside, file in module.files.items():
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / inside)
    wheels = [make_wheel(name, folder / "wheels").name for name in plan.local]
    texts = {
        "service.py": service_source(plan, tag),
        f"{NOTEBOOK_MODULE}.py": notebook_source(plan),
        "requirements.in": requirements_in(plan),
        "requirements.txt": requirements_txt(plan, wheels),
        "README.md": readme(plan),
        ".gitignore": "__pycache__/\n",
    }
    for name, text in texts.items():
        if text:
            (folder / name).write_text(text, encoding="utf-8")
    (folder / CODEC_PACKAGE).mkdir()
    for path in sorted(CODEC.glob("*.py")):
        shutil.copyfile(path, folder / CODEC_PACKAGE / path.name)
    shutil.copyfile(SHIPPED / "test_parity.py", folder / "test_parity.py")
    (folder / "bentofile.yaml").write_text(bentofile(plan, folder, tag), encoding="utf-8")


def model_tag(plan: Plan) -> str | None:
    """Tag of the BentoML model that has the saved objects; None when there are none."""
    if not plan.objects.saved:
        return None
    return f"{plan.name}:{short(bytes.fromhex(plan.objects.digest))}"


def write_model(plan: Plan, folder: Path, tag: str) -> None:
    """Write the saved objects, and what BentoML's model store is to know of them."""
    shutil.copytree(plan.objects.folder, folder)
    saved = plan.objects.saved
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    about = {
        "tag": tag,
        "files": {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        },
        "labels": {"framework": next(iter(saved.values())).framework},
        "metadata": {
            "python": plan.python,
            "objects": {name: {"class": item.kind, "sha256": item.digest} for name, item in saved.items()},
            "versions": {item.name: item.version for item in plan.requirements},
        },
    }
    write_json(folder / "model.json", about)


def endpoint_types(plan: Plan) -> dict[str, Any]:
    """What goes in and out of each endpoint, for `endpoints.json`."""
    return {
        point.name: {
            "inputs": {each.name: None if each.own else each.descriptor for each in point.parameters},
            "output": None if point.own_output else point.output,
            "stream": stream_of(point),
            "task": point.kind == "task",
        }
        for point in plan.endpoints
    }


def cases(plan: Plan) -> Any:
    """The pairs of the proof, as they go over the wire."""
    for point in plan.endpoints:
        for case in point.cases:
            about = {"endpoint": case.endpoint, "title": case.title, "inputs": encoded_inputs(point, case)}
            if case.refused:
                yield about | {"refused": case.refused}
            else:
                yield about | {"expected": encoded_answer(point, case)}


def encoded_inputs(point: EndpointPlan, case: Case) -> dict[str, Any]:
    """Inputs as JSON; those of a case that is refused need not fit the endpoint's types."""
    known = {parameter.name: parameter.descriptor for parameter in point.parameters}
    return {
        name: encode(value, (describe(value) if case.refused else known.get(name)) or {"kind": "json"})
        for name, value in case.inputs.items()
        if name in known
    }


def encoded_answer(point: EndpointPlan, case: Case) -> Any:
    """The expected answer as JSON: a text for a stream of texts, a list for others."""
    descriptor = point.output or {"kind": "json"}
    if stream_of(point) == "text":
        return "".join(case.expected)
    if stream_of(point) == "bytes":
        return encode(b"".join(case.expected), descriptor)
    if stream_of(point):
        return [encode_answer(part, descriptor) for part in case.expected]
    return encode_answer(case.expected, descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write strict JSON, one item of the outer two levels per line."""
    path.write_text(json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")


def requirements_in(plan: Plan) -> str:
    """The few direct requirements, each with its evidence."""
    lines = [f"{item.name}=={item.version}  # {item.why}" for item in plan.requirements]
    return "# What the model and the service need directly, at the versions of the notebook.\n" + lines_of(
        lines
    )


def requirements_txt(plan: Plan, wheels: list[str]) -> str:
    """The lock; BentoML adds its own line when it builds."""
    head = [
        f"# All that requirements.in needs, as it was installed in the notebook (Python {plan.python}).",
        "# bentoml itself is added by BentoML when the Bento is built.",
        *(f"# not installed there: {line}" for line in plan.absent),
        *(f"./wheels/{wheel}" for wheel in wheels),
    ]
    shipped = {"bentoml", *plan.local}
    return lines_of(head + [pin for pin in plan.lock if pin_name(pin) not in shipped])


def lines_of(lines: list[str]) -> str:
    """Lines as a text."""
    return "".join(f"{line}\n" for line in lines)


def bentofile(plan: Plan, folder: Path, tag: str | None) -> str:
    """What `bentoml build` reads.

    It names neither README.md, which is taken all the same, nor requirements.txt, which service.py reads:
    BentoML refuses a path with a hidden folder anywhere in it, which Linux's data folder `~/.local/share` is.
    """
    name = plan.subject.title if plan.subject.kind == "service" else class_name(plan.name)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = [file for file in files if file == MODEL_ABOUT or not file.startswith(("model/", ".gitignore"))]
    return lines_of(
        [
            f'service: "service:{name}"',
            f'name: "{plan.name}"',
            "include:",
            *(f'  - "/{file}"' for file in [*files, "bentofile.yaml"]),
            *(["models:", f'  - "{tag}"'] if tag and plan.subject.kind == "service" else []),
        ]
    )


def takes(point: EndpointPlan) -> str:
    """What an endpoint takes, for a table."""
    return ", ".join(f"`{each.name}` {in_words(each.descriptor)}" for each in point.parameters) or "nothing"


def readme(plan: Plan) -> str:
    """The README of project and Bento."""
    kind, size = plan.object
    first = plan.endpoints[0]
    body = (
        encoded_inputs(first, first.cases[-1 if first.cases[-1].title == "one row" else 0])
        if first.cases
        else {}
    )
    for case in first.cases:
        if case.title == "one row":
            body = encoded_inputs(first, case)
    example = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
    if len(example) > 2000:
        example = "{" + ", ".join(f'"{name}": ...' for name in body) + "}"
    points = lines_of(
        [f"| `/{point.name}` | {takes(point)} | {in_words(point.output)} |" for point in plan.endpoints]
    )
    left = lines_of([f"- without `{name}`: {reason}" for name, reason in plan.left_out.items()])
    needs = ", ".join(f"{item.name} {item.version}" for item in plan.requirements)
    named = f"`{plan.label}`: " if plan.label else ""
    count = sum(len(point.cases) for point in plan.endpoints)
    return f"""# {plan.name}

{named}`{kind}` ({size:,} bytes of saved objects), from a notebook. Python {plan.python}; {needs}.

| endpoint | takes | answers |
|---|---|---|
{points}
{left}
```sh
curl $URL/{first.name} -H 'Content-Type: application/json' -d '{example}'
```

Missing values are `null`, infinities `"Infinity"` and `"-Infinity"`, times ISO 8601 text. Arrays and frames
may also be sent and asked for as `application/vnd.apache.arrow.stream`; `/docs.json` describes both.

- `bentoml build` builds the Bento from this folder; `bentoml serve` serves it as it is.
- `URL=... pytest test_parity.py` sends the {count} cases of `proof/` and compares the answers with those of
  the notebook.
"""
