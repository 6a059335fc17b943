"""The text of `service.py`: what a good engineer would have written by hand."""

from __future__ import annotations

import ast
import keyword
import re
from typing import TYPE_CHECKING

import bento_jupyter

from ..parts import NOTEBOOK_MODULE, Loader
from ..report import in_words
from ..services import exact_annotations

if TYPE_CHECKING:
    from ..plan import EndpointPlan, Plan

__all__ = ["CODEC_PACKAGE", "MODELS_MODULE", "class_name", "notebook_source", "service_source"]

#: Package of the codec in the project, and module that finds its saved objects.
CODEC_PACKAGE = "bento_codec"
MODELS_MODULE = "model_files"
#: Where the objects are that code needs while it is imported.
FOLDER = "folder(bento_model(Path(__file__).parent))"
FOLDER_IMPORTS = ("from pathlib import Path", f"from {MODELS_MODULE} import bento_model, folder")
#: Errors that say that a value was wrong; others are the service's own.
MISTAKES = "(ArithmeticError, AssertionError, LookupError, TypeError, ValueError)"


def class_name(name: str) -> str:
    """A class name for a Bento's name.

    Example:
        >>> class_name("credit-risk_2")
        'CreditRisk2'
    """
    words = name.replace("_", "-").split("-")
    joined = "".join(word.capitalize() for word in words if word)
    return f"Bento{joined}" if joined[0].isdigit() or keyword.iskeyword(joined) else joined


def notebook_source(plan: Plan) -> str:
    """The text of `notebook_code.py`; "" when nothing of the notebook's code goes along."""
    if plan.subject.kind == "service":
        return ""
    return plan.code.source(
        {name: saved.loader for name, saved in plan.objects.saved.items() if name != model_of(plan)},
        folder=FOLDER,
        folder_imports=FOLDER_IMPORTS,
    )


def loading_function(source: str) -> str:
    """Name of the function of a module that reads the saved objects; "" when it has none."""
    found = re.search(r'^def (load_*)\(.*\n    """Read the saved objects', source, re.MULTILINE)
    return found[1] if found else ""


def model_of(plan: Plan) -> str | None:
    """Name of the object that the service itself holds."""
    return plan.subject.model_name if plan.subject.model is not None else None


def service_source(plan: Plan, model_tag: str | None) -> str:
    """The source of `service.py`.

    Args:
        plan: What is served.
        model_tag: Tag of the BentoML model that has the saved objects; None = there are none.
    """
    return (
        own_service(plan, model_tag) if plan.subject.kind == "service" else written_service(plan, model_tag)
    )


def written_service(plan: Plan, model_tag: str | None) -> str:
    """A service for a model, functions or an object."""
    first = plan.endpoints[0]
    notebook = notebook_source(plan)
    loading = loading_function(notebook)
    uses_notebook = bool(notebook)
    loader = plan.objects.saved[plan.subject.model_name].loader if plan.subject.model is not None else None
    lines = {"import bentoml", "from pathlib import Path", "from collections.abc import Iterator",
             "from contextlib import contextmanager", "from bentoml.exceptions import InvalidArgument",
             f"from {CODEC_PACKAGE} import ArrowMiddleware, endpoint_types"}  # fmt: skip
    for point in plan.endpoints:
        lines |= set(point.imports)
    lines |= set(loader.imports) if loader else set()
    lines |= {f"from {MODELS_MODULE} import bento_model, folder"} if model_tag else set()
    lines |= {f"import {NOTEBOOK_MODULE}"} if uses_notebook else set()
    lines |= (
        {"from collections.abc import AsyncIterator"}
        if any(p.kind == "async stream" for p in plan.endpoints)
        else set()
    )
    lines |= {"from typing import Annotated"} if any(stream_of(point) for point in plan.endpoints) else set()
    lines |= {"import json"} if any(is_lines(point) for point in plan.endpoints) else set()
    lines |= {f"import {home.partition('.')[0]}" for home in setup_modules(plan)}
    members = []
    if model_tag:
        members.append("    _files = MODEL\n")
    setup = []
    if model_tag:
        setup.append("files = folder(MODEL)")
    if loading:
        setup.append(f"{NOTEBOOK_MODULE}.{loading}(files)")
    if loader is not None:
        setup.append(f"self._model = {expression_of(loader)}")
    setup += plan.subject.setup
    if setup:
        members.append("    def __init__(self) -> None:\n" + "".join(f"        {line}\n" for line in setup))
    members += [endpoint_source(plan, point) for point in plan.endpoints]
    names = ", ".join(point.name for point in plan.endpoints)
    body = ", ".join(f'"{parameter.name}": ...' for parameter in first.parameters)
    title = f"{plan.label}, " if plan.label else ""
    return f'''"""{plan.name}: {title}from a notebook, served by BentoML.

    curl $URL/{first.name} -H 'Content-Type: application/json' -d '{{{body}}}'

Written by bento_jupyter {bento_jupyter.__version__}; yours to change. `endpoints.json` says what goes in and
out, `{CODEC_PACKAGE}/` reads and writes it. `bentoml build` builds the Bento, `test_parity.py` compares a
deployment with the notebook.
"""

{settings_source(plan)}{imports_source(lines, plan)}
HERE = Path(__file__).parent
TYPES = endpoint_types(HERE / "endpoints.json")
{"MODEL = bento_model(HERE)" + chr(10) if model_tag else ""}{rows_alias(plan)}

@contextmanager
def mistakes(endpoint: str) -> Iterator[None]:
    """What the notebook's code raises over the values of a request is the caller's mistake: 400, not 500."""
    try:
        yield
    except {MISTAKES} as error:
        raise InvalidArgument(f"{{endpoint}}: {{type(error).__name__}}: {{error}}") from error


{image_source(plan)}

@bentoml.service(name="{plan.name}", image=image)
class {class_name(plan.name)}:
    """{plan.subject.title} with the endpoint{"s" * (len(plan.endpoints) > 1)} {names}."""

{chr(10).join(members)}

{class_name(plan.name)}.add_asgi_middleware(ArrowMiddleware, endpoints=HERE / "endpoints.json")
'''


def settings_source(plan: Plan) -> str:
    """Environment variables that libraries read when they are imported."""
    settings: dict[str, str] = {}
    for saved in plan.objects.saved.values():
        settings |= saved.loader.environment
    lines = [f'os.environ.setdefault("{name}", "{value}")\n' for name, value in sorted(settings.items())]
    return "import os\n\n" + "".join(lines) + "\n" if lines else ""


def image_source(plan: Plan) -> str:
    """The image of the service: the lock, and the wheels that go along."""
    wheels = '.build_include("wheels")' if plan.local else ""
    return (
        f'image = bentoml.images.Image(python_version="{plan.python}", lock_python_packages=False)\n'
        f'image = image.python_packages(*(HERE / "requirements.txt").read_text().splitlines()){wheels}\n'
    )


def shares_rows(plan: Plan) -> bool:
    """True when several endpoints of a model take the same rows: their type gets a name."""
    takes = [[parameter.descriptor for parameter in point.parameters] for point in plan.endpoints]
    return (
        plan.subject.kind == "model"
        and len(takes) > 1
        and len(takes[0]) == 1
        and takes.count(takes[0]) == len(takes)
    )


def rows_alias(plan: Plan) -> str:
    """The type of the rows that all endpoints take."""
    return f"\nRows = {plan.endpoints[0].parameters[0].annotation}\n" if shares_rows(plan) else ""


def expression_of(loader: Loader) -> str:
    """The expression that reads the model, in the service's `__init__`, where `folder` is a function."""
    return re.sub(r"\bfolder\b", "files", loader.expression)


def setup_modules(plan: Plan) -> list[str]:
    """Modules that the lines of the set-up name."""
    return [line.partition("= ")[2].rpartition(".")[0] for line in plan.subject.setup]


def is_lines(point: EndpointPlan) -> bool:
    """True for a stream whose parts are no text: each is a line of JSON."""
    return "stream" in point.kind and stream_of(point) == "lines"


def stream_of(point: EndpointPlan) -> str:
    """How a stream is sent: `text`, `bytes` or `lines` of JSON; "" when it is none."""
    if "stream" not in point.kind:
        return ""
    return {"str": "text", "bytes": "bytes"}.get(str((point.output or {}).get("kind")), "lines")


def endpoint_source(plan: Plan, point: EndpointPlan) -> str:
    """The source of one endpoint."""
    words = ["self"]
    for parameter in point.parameters:
        annotation = f": {parameter.annotation}" if parameter.annotation else ""
        if shares_rows(plan):
            annotation = ": Rows"
        default = f" = {parameter.default}" if parameter.default is not None else ""
        words.append(f"{parameter.name}{annotation}{default}")
    takes = ", ".join(f"{parameter.name} {in_words(parameter.descriptor)}" for parameter in point.parameters)
    head = "async def" if point.kind.startswith("async") else "def"
    returns = {"stream": "Iterator", "async stream": "AsyncIterator"}.get(point.kind)
    if returns:
        part = "bytes" if stream_of(point) == "bytes" else "str"
        returns = f'{returns}[Annotated[{part}, TYPES["{point.name}"]["output"]]]'
    else:
        returns = point.output_annotation
    arrow = f" -> {returns}" if returns else ""
    signature = f"    {head} {point.name}({', '.join(words)}){arrow}:"
    if len(signature) > 110:
        listed = "".join(f"        {word},\n" for word in words)
        signature = f"    {head} {point.name}(\n{listed}    ){arrow}:"
    body = "".join(f"            {line}\n" for line in body_lines(plan, point))
    return f'''    @bentoml.api
{signature}
        """{takes or "nothing"} -> {in_words(point.output)}."""
        with mistakes("{point.name}"):
{body}'''


def body_lines(plan: Plan, point: EndpointPlan) -> list[str]:
    """The lines that ask the object."""
    if plan.subject.kind == "model":
        lines = point.body.splitlines()
        short = re.sub(r"\bmodel\b", "self._model", lines[0])
        return [short] if len(lines) == 1 else ["model = self._model", *lines]
    part = "part"
    if is_lines(point):
        part = f'json.dumps(TYPES["{point.name}"]["output"].write(part)) + "\\n"'
    if point.kind == "stream":
        return [f"for part in {point.body}:", f"    yield {part}"]
    if point.kind == "async stream":
        return [f"async for part in {point.body}:", f"    yield {part}"]
    return [f"return {'await ' * (point.kind == 'async')}{point.body}"]


def imports_source(lines: set[str], plan: Plan) -> str:
    """Import lines in their groups: standard library, installed, the project's own."""
    import sys

    groups: tuple[list[str], list[str], list[str]] = ([], [], [])
    own = {NOTEBOOK_MODULE, CODEC_PACKAGE, MODELS_MODULE, *(module.name for module in plan.modules)}
    merged: dict[str, set[str]] = {}
    plain = set()
    for line in lines:
        words = line.split(None, 3)
        if words[0] == "from":
            merged.setdefault(words[1], set()).update(name.strip() for name in words[3].split(","))
        else:
            plain.add(line)
    plain |= {f"from {module} import {', '.join(sorted(names))}" for module, names in merged.items()}
    for line in sorted(plain, key=lambda each: (each.startswith("from"), each.lower())):
        root = line.split()[1].partition(".")[0]
        groups[2 if root in own else 0 if root in sys.stdlib_module_names else 1].append(line)
    return "\n".join("".join(f"{line}\n" for line in group) for group in groups if group)


def own_service(plan: Plan, model_tag: str | None) -> str:
    """The user's own service class: its source, with exact types where a sample was given."""
    loaders = {name: saved.loader for name, saved in plan.objects.saved.items()}
    source = plan.code.source(loaders, folder=FOLDER, folder_imports=FOLDER_IMPORTS)
    source = exact_annotations(source, plan.subject.title, plan.endpoints)
    future, lines, code = split(source)
    name = plan.subject.title
    lines |= {
        "import bentoml",
        "from pathlib import Path",
        f"from {CODEC_PACKAGE} import ArrowMiddleware, endpoint_types",
    }
    for point in plan.endpoints:
        lines |= set(point.imports) - {"import service"}
    end = f"{image_source(plan)}{name}.image = image\n"
    if plan.subject.has_image:
        end = f'{name}.image.python_packages(*(HERE / "requirements.txt").read_text().splitlines())\n'
        end += f'{name}.image.build_include("wheels")\n' if plan.local else ""
    if loading := loading_function(source):
        lines |= set(FOLDER_IMPORTS)
        end += f"{loading}({FOLDER})\n"
    first = plan.endpoints[0]
    body = ", ".join(f'"{parameter.name}": ...' for parameter in first.parameters)
    return f'''"""{plan.name}: the service {name} of a notebook.

    curl $URL/{first.name} -H 'Content-Type: application/json' -d '{{{body}}}'

Written by bento_jupyter {bento_jupyter.__version__}, from the cells that are named; yours to change.
"""

{future}{settings_source(plan)}{imports_source(lines, plan)}
HERE = Path(__file__).parent
TYPES = endpoint_types(HERE / "endpoints.json")


{code}

{end}{name}.add_asgi_middleware(ArrowMiddleware, endpoints=HERE / "endpoints.json")
'''


def split(source: str) -> tuple[str, set[str], str]:
    """The future imports of a module, the lines of its other imports at the head, and the rest."""
    future, lines, end = "", set(), 0
    for number, node in enumerate(ast.parse(source).body):
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            future = f"{ast.unparse(node)}\n\n"
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            lines |= {ast.unparse(type(node)(**{**vars(node), "names": [name]})) for name in node.names}
        elif number or not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            break  # the docstring is ours
        end = node.end_lineno or end
    return future, lines, "".join(source.splitlines(keepends=True)[end:]).strip()
