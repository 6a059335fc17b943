"""Which framework saves which object; users add their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..parts import Method
from .arrays import Arrays, SparseArrays
from .boosting import BoostedEstimators, CatBoost, LightGBMBooster, XGBoostBooster
from .estimators import Estimators
from .framework import Framework
from .keras import KerasModels
from .objects import pickled
from .onnx import OnnxModels, OnnxSessions
from .polars import PolarsFrames
from .spacy import SpacyPipelines
from .statsmodels import StatsmodelsResults
from .torch import ScriptModules, Tensors, TorchModules
from .transformers import Pipelines, Pretrained

__all__ = ["FRAMEWORKS", "ask", "framework_of", "register"]

#: The frameworks in the order in which they are asked; `pickled` comes after them all.
FRAMEWORKS: list[Framework] = [
    CatBoost(),
    BoostedEstimators("xgboost", "xgboost"),
    BoostedEstimators("lightgbm", "lightgbm"),
    Estimators(),
    XGBoostBooster(),
    LightGBMBooster(),
    OnnxSessions(),
    OnnxModels(),
    KerasModels(),
    Pipelines(),
    Pretrained(),
    ScriptModules(),
    TorchModules(),
    Tensors(),
    SpacyPipelines(),
    StatsmodelsResults(),
    PolarsFrames(),
    Arrays(),
    SparseArrays(),
]


def framework_of(obj: Any) -> Framework:
    """The framework that saves an object; `pickled` when no other knows it.

    Example:
        >>> framework_of({"a": 1}).name
        'pickle'
    """
    return next((framework for framework in FRAMEWORKS if framework.applies(obj)), pickled)


def register(framework: Framework, *, first: bool = True) -> None:
    """Teach bento_jupyter to save and ask the objects of another library.

    Args:
        framework: The framework; one of the same name is replaced, so a cell may be run again.
        first: True = asked before those that are there; False = after them.

    Example:
        A library whose models have a durable format of their own, one that is text:

        >>> from pathlib import Path
        >>> from bento_jupyter.capture import Framework, Loader, Method, register, saved
        >>> class Thermometers(Framework):
        ...     name = "thermolib"
        ...
        ...     def applies(self, obj):
        ...         return type(obj).__module__.split(".")[0] == "thermolib"
        ...
        ...     def save(self, obj, folder: Path, name, refer):
        ...         file = f"{name}.toml"
        ...         obj.to_file(folder / file)
        ...         loader = Loader(("import thermolib",), f'thermolib.from_file(folder / "{file}")')
        ...         return saved(self.name, obj, folder, [file], loader, {"thermolib": ["from_file"]})
        ...
        ...     def methods(self, obj):
        ...         return [Method("measure", ("readings",), "return model.measure(readings)")]
        >>> register(Thermometers())
        >>> FRAMEWORKS[0].name
        'thermolib'
        >>> del FRAMEWORKS[0]
    """
    FRAMEWORKS[:] = [known for known in FRAMEWORKS if known.name != framework.name]
    FRAMEWORKS.insert(0 if first else len(FRAMEWORKS), framework)


def ask(method: Method, model: Any, inputs: Mapping[str, Any]) -> Any:
    """Ask a live object by the very lines that will ask it when it is served.

    Args:
        method: What is asked.
        model: The live object.
        inputs: The inputs by the names of the method's parameters.

    Raises:
        Exception: Whatever the object raises.

    Example:
        >>> ask(Method("total", ("rows",), "return model(rows)"), sum, {"rows": [1, 2]})
        3
    """
    body = [f"    {line}" for line in method.body.splitlines()]
    head = f"def {method.name}({', '.join(('model', *method.parameters))}):"
    names: dict[str, Any] = {}
    exec(compile("\n".join([*method.imports, head, *body]), f"<{method.name}>", "exec"), names)  # noqa: S102
    return names[method.name](model, **inputs)
