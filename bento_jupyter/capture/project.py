"""Writes the project: the readable folder that a Bento is built from, complete without bento_jupyter."""

from __future__ import annotations

import base64
import hashlib
import json
import keyword
import os
import pprint
import shutil
import tempfile
from pathlib import Path
from typing import Any

import bento_jupyter
from bento_jupyter.codec import Descriptor, encode

from .plan import EndpointPlan, Plan, in_words

__all__ = ["PARAMETER", "content_version", "write_project"]

#: Name of the one parameter of each endpoint: what scikit-learn calls it, so a body is `{"X": [[...]]}`.
PARAMETER = "X"
#: Files copied as they are, from `shipped/`.
SHIPPED = ("build.py", "test_parity.py")
#: The codec, of which each Bento gets its own copy.
CODEC = tuple(f"codec/{name}.py" for name in ("__init__", "decoding", "descriptors", "encoding", "typed"))
#: What of the project goes into the Bento; the model goes into the model store instead.
INCLUDED = (
    "service.py", "endpoints.json", "requirements.in", "requirements.txt", "README.md",
    "test_parity.py", "proof/sample.json", "proof/expected.json", *CODEC,
)  # fmt: skip


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
    for name in sorted((*INCLUDED, *SHIPPED, "bentofile.yaml", "model/model.joblib", "model/model.json")):
        content = (project / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return short(digest.digest())


def short(digest: bytes) -> str:
    """16 small letters and digits of a hash."""
    return base64.b32encode(digest[:10]).decode("ascii").lower()


def fill(plan: Plan, folder: Path) -> None:
    """Write all files of a project."""
    for name in ("model", "proof", "codec"):
        (folder / name).mkdir()
    plan.contents.write(folder / "model" / "model.joblib")
    digest = plan.contents.digest
    tag = f"{plan.name}:{short(bytes.fromhex(digest))}"
    versions = {item.name: item.version for item in plan.requirements}
    about = {
        "tag": tag,
        "labels": {"framework": "scikit-learn"},
        "metadata": {"class": plan.object[0], "python": plan.python, "sha256": digest, **versions},
    }
    sample = {PARAMETER: encode(plan.sample, plan.endpoints[0].input)}
    expected = {point.name: encode(point.expected, point.output) for point in plan.endpoints}
    types = {
        point.name: {"input": point.input, "output": point.output, "parameter": PARAMETER}
        for point in plan.endpoints
    }
    write_json(folder / "model" / "model.json", about)
    write_json(folder / "endpoints.json", {"endpoints": types})
    write_json(folder / "proof" / "sample.json", sample)
    write_json(folder / "proof" / "expected.json", expected)
    texts = {
        "service.py": service_source(plan, tag),
        "requirements.in": requirements_in(plan),
        "requirements.txt": requirements_txt(plan),
        "bentofile.yaml": bentofile(plan),
        "README.md": readme(plan, sample),
        ".gitignore": "__pycache__/\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in CODEC:
        shutil.copyfile(Path(bento_jupyter.__file__).parent / name, folder / name)
    for name in SHIPPED:
        shutil.copyfile(Path(__file__).parent / "shipped" / name, folder / name)


def write_json(path: Path, value: Any) -> None:
    """Write strict JSON, one item of the outer two levels per line."""
    path.write_text(json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")


def class_name(name: str) -> str:
    """A class name for a Bento's name.

    Example:
        >>> class_name("credit-risk_2")
        'CreditRisk2'
    """
    words = name.replace("_", "-").split("-")
    joined = "".join(word.capitalize() for word in words if word)
    return f"Bento{joined}" if joined[0].isdigit() or keyword.iskeyword(joined) else joined


def annotation(descriptor: Descriptor, typed: str) -> str:
    """The annotation of a value in a service, as source."""
    kind = descriptor["kind"]
    if kind == "array":
        dtype = {"str": "str_", "bool": "bool_", "object": "object_"}.get(
            descriptor["dtype"], descriptor["dtype"]
        )
        shape = tuple(descriptor["shape"])
        return f'Annotated[np.ndarray, DType("{dtype}"), Shape({shape}), {typed}]'
    if kind == "frame":
        names = [str(column["name"]) for column in descriptor["columns"]]
        columns = pprint.pformat(tuple(names), width=90, compact=True).replace("\n", "\n        ")
        return f"Annotated[\n    pd.DataFrame,\n    DataframeSchema(columns={columns}),\n    {typed},\n]"
    return f"Annotated[Any, {typed}]"


def service_source(plan: Plan, model: str) -> str:
    """The source of `service.py`."""
    descriptors = [plan.endpoints[0].input, *(point.output for point in plan.endpoints)]
    kinds = {descriptor["kind"] for descriptor in descriptors}
    validators = [("DataframeSchema", "frame"), ("DType", "array"), ("Shape", "array")]
    used = ", ".join(name for name, kind in validators if kind in kinds)
    imports = ["import bentoml"]
    imports += ["import numpy as np"] if "array" in kinds else []
    imports += ["import pandas as pd"] if "frame" in kinds else []
    imports += ["from bentoml.exceptions import InvalidArgument", "from bentoml.models import BentoModel"]
    imports += [f"from bentoml.validators import {used}"] if used else []
    first = plan.endpoints[0]
    kind = plan.object[0].rpartition(".")[2]
    types = [
        "Rows = " + annotation(first.input, f'TYPES["{first.name}"]["input"]'),
        *(
            f"{class_name(point.name)}Answer = "
            + annotation(point.output, f'TYPES["{point.name}"]["output"]')
            for point in plan.endpoints
        ),
    ]
    rows = "records" if first.input["kind"] == "frame" else "rows"
    body = '[{"column": value, ...}, ...]' if rows == "records" else "[...]"
    return f'''"""{plan.name}: a {kind} from a notebook, served by BentoML.

    curl $URL/{first.name} -H 'Content-Type: application/json' -d '{{"{PARAMETER}": {body}}}'

Written by bento_jupyter {bento_jupyter.__version__}; yours to change. `endpoints.json` says what goes in and
out, `codec/` reads and writes it. `python build.py` builds the Bento, `test_parity.py` compares a deployment
with the notebook.
"""

from pathlib import Path
from typing import Annotated, Any

{chr(10).join(imports)}

from codec import endpoint_types

HERE = Path(__file__).parent
TYPES = endpoint_types(HERE / "endpoints.json")

{chr(10).join(types)}

image = bentoml.images.Image(python_version="{plan.python}", lock_python_packages=False)
image = image.python_packages(*(HERE / "requirements.txt").read_text().splitlines())


@bentoml.service(name="{plan.name}", image=image)
class {class_name(plan.name)}:
    """{kind} with the endpoints {", ".join(point.name for point in plan.endpoints)}."""

    model = BentoModel("{model}")

    def __init__(self) -> None:
        import joblib

        self.estimator = joblib.load(self.model.path_of("model.joblib"))
{"".join(api_source(point) for point in plan.endpoints)}
    def ask(self, method: str, rows: Any) -> Any:
        """What the estimator answers; rows that it refuses are the caller's mistake."""
        try:
            return getattr(self.estimator, method)(rows)
        except ValueError as error:
            raise InvalidArgument(f"{{method}}: {{error}}") from error
'''


def api_source(point: EndpointPlan) -> str:
    """The source of one endpoint."""
    return f'''
    @bentoml.api
    def {point.name}(self, {PARAMETER}: Rows) -> {class_name(point.name)}Answer:
        """{in_words(point.input)} -> {in_words(point.output)}."""
        return self.ask("{point.name}", {PARAMETER})
'''


def requirements_in(plan: Plan) -> str:
    """The few direct requirements, each with its evidence."""
    lines = [f"{item.name}=={item.version}  # {item.why}" for item in plan.requirements]
    return "# What the model and the service need directly, at the versions of the notebook.\n" + lines_of(
        lines
    )


def requirements_txt(plan: Plan) -> str:
    """The lock; BentoML adds its own line when it builds."""
    head = [
        f"# All that requirements.in needs, as it was installed in the notebook (Python {plan.python}).",
        "# bentoml itself is added by BentoML when the Bento is built.",
        *(f"# not installed there: {line}" for line in plan.absent),
    ]
    return lines_of(head + [pin for pin in plan.lock if not pin.startswith("bentoml==")])


def lines_of(lines: list[str]) -> str:
    """Lines as a text."""
    return "".join(f"{line}\n" for line in lines)


def bentofile(plan: Plan) -> str:
    """What `build.py` and `bentoml build` read.

    It names no `description`: BentoML takes README.md by itself, and refuses a path with a hidden folder
    anywhere in it, which Linux's data folder `~/.local/share` is.
    """
    head = [
        f'service: "service:{class_name(plan.name)}"',
        f'name: "{plan.name}"',
    ]
    return lines_of([*head, "include:", *(f'  - "/{name}"' for name in INCLUDED)])


def readme(plan: Plan, sample: dict[str, Any]) -> str:
    """The README of project and Bento."""
    kind, size = plan.object
    example = json.dumps({PARAMETER: sample[PARAMETER][:1]}, ensure_ascii=False).replace("'", "'\\''")
    points = lines_of(
        [f"| `/{p.name}` | {in_words(p.input)} | {in_words(p.output)} |" for p in plan.endpoints]
    )
    left = lines_of([f"- without `{name}`: {reason}" for name, reason in plan.left_out.items()])
    needs = ", ".join(f"{item.name} {item.version}" for item in plan.requirements)
    named = f"`{plan.label}`: " if plan.label else ""
    return f"""# {plan.name}

{named}`{kind}` ({size:,} bytes), from a notebook. Python {plan.python}; {needs}.

| endpoint | `{PARAMETER}` | answer |
|---|---|---|
{points}
{left}
```sh
curl $URL/{plan.endpoints[0].name} -H 'Content-Type: application/json' -d '{example}'
```

Missing values are `null`, infinities `"Infinity"` and `"-Infinity"`, times ISO 8601 text.

- `python build.py` puts the model into BentoML's model store and builds the Bento.
- `URL=... pytest test_parity.py` sends the {plan.sample_rows} rows of `proof/` and compares the answers with
  those of the notebook.
"""
