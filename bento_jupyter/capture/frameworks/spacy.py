"""spaCy pipelines, as the folder that `to_disk` writes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from bento_jupyter.errors import NotServableError

from ..packages.distributions import Distributions
from ..parts import Loader, Method, Refer, Saved
from .framework import Framework, is_a, saved

__all__ = ["SpacyPipelines"]


class SpacyPipelines(Framework):
    """`spacy.Language`: its components on disk; components of the notebook go along as code."""

    name = "spacy"

    def applies(self, obj: Any) -> bool:
        """True for pipelines."""
        return is_a(obj, "spacy.language.Language")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it into a folder; components of the notebook are registered by importing their code."""
        target = folder / name
        homes = [refer(factory, f"{name}: its component {pipe!r}") for pipe, factory in own_factories(obj)]
        try:
            obj.to_disk(target)
        except BaseException as error:
            shutil.rmtree(target, ignore_errors=True)
            if isinstance(error, Exception):
                raise NotServableError(
                    f"the {type(obj).__name__} {name!r} cannot be saved: {error}",
                    hint="give its components a to_disk and a from_disk",
                ) from error
            raise
        imports = ("import spacy", *sorted({f"import {home.module}" for home in homes}))
        modules = {"spacy": ["load"], **{module: [factory] for module, factory in plugins(obj)}}
        return saved(
            self.name, obj, folder, [name], Loader(imports, f'spacy.load(folder / "{name}")'), modules
        )

    def methods(self, obj: Any) -> list[Method]:
        """`predict`: what is found in a text, as spaCy writes documents in JSON."""
        return [Method("predict", ("text",), "return model(text).to_json()")]


def factories(nlp: Any) -> list[tuple[str, Any]]:
    """The components of a pipeline, each with the function or class that was registered for it."""
    from spacy.util import registry

    found = []
    for pipe in nlp.component_names:
        factory = registry.factories.get(nlp.get_pipe_meta(pipe).factory)
        if "Language.component" in getattr(factory, "__qualname__", ""):  # the function is inside a factory
            inner = [cell.cell_contents for cell in factory.__closure__ or ()]
            factory = next((item for item in inner if callable(item)), factory)
        found.append((pipe, factory))
    return found


def own_factories(nlp: Any) -> list[tuple[str, Any]]:
    """Those components that no installed distribution brings."""
    origin = Distributions.installed().origin
    return [(pipe, factory) for pipe, factory in factories(nlp) if origin(factory.__module__) is None]


def plugins(nlp: Any) -> list[tuple[str, str]]:
    """The modules of other distributions that components come from, with the name of the component."""
    found = [(str(factory.__module__), pipe) for pipe, factory in factories(nlp)]
    origin = Distributions.installed().origin
    return [(module, pipe) for module, pipe in found if origin(module) not in (None, "spacy")]
