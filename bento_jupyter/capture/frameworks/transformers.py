"""Hugging Face transformers: pipelines, models, tokenizers and processors, saved and read without the Hub."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from bento_jupyter.errors import NotServableError

from ..packages.distributions import Distributions
from ..parts import Loader, Method, Refer, Saved
from .framework import Framework, is_a, saved

__all__ = ["Pipelines", "Pretrained"]

#: Parameters of the tasks of pipelines; `inputs` for all others.
PARAMETERS = {
    "text-classification": ("text",),
    "sentiment-analysis": ("text",),
    "token-classification": ("text",),
    "ner": ("text",),
    "text-generation": ("text",),
    "fill-mask": ("text",),
    "feature-extraction": ("text",),
    "zero-shot-classification": ("text", "candidate_labels"),
}
#: All that is read is on disk; nothing is to be looked up.
OFFLINE = {"HF_HUB_OFFLINE": "1"}
#: Attributes of a pipeline that hold its parts, which `transformers.pipeline` takes by the same names.
PARTS = ("tokenizer", "feature_extractor", "image_processor")
#: Attributes of a pipeline that hold what it was told besides.
SETTINGS = ("_preprocess_params", "_forward_params", "_postprocess_params")


class Pipelines(Framework):
    """`transformers.pipeline(...)`: model, tokenizer and processors, each as `save_pretrained` writes it."""

    name = "transformers.pipeline"

    def applies(self, obj: Any) -> bool:
        """True for pipelines."""
        return is_a(obj, "transformers.pipelines.base.Pipeline")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save model and parts into a folder.

        Raises:
            NotServableError: It is of a class of its own, or was told what cannot be written down.
        """
        own_class(obj)
        settings = settings_of(obj)
        write(obj, folder / name)
        here = f'str(folder / "{name}")'
        given = {"model": here}
        given |= {part: here for part in PARTS if getattr(obj, part, None) is not None}
        given |= {key: repr(value) for key, value in sorted(settings.items())}
        given["device"] = '"cpu"'
        arguments = ", ".join(f"{key}={value}" for key, value in given.items())
        loader = Loader(
            ("import transformers",), f'transformers.pipeline("{obj.task}", {arguments})', OFFLINE
        )
        modules = {"transformers": ["pipeline"], "torch": ["Tensor"]}
        return saved(self.name, obj, folder, [name], loader, modules)

    def methods(self, obj: Any) -> list[Method]:
        """`predict` of a text, or of what else the task takes."""
        names = PARAMETERS.get(obj.task, ("inputs",))
        return [Method("predict", names, f"return model({', '.join(names)})")]


class Pretrained(Framework):
    """Models, tokenizers, processors and configurations, each by `save_pretrained` and `from_pretrained`."""

    name = "transformers"

    def applies(self, obj: Any) -> bool:
        """True for objects of transformers' own classes; a model of the notebook's is a torch module."""
        if not is_a(
            obj,
            "transformers.modeling_utils.PreTrainedModel",
            "transformers.tokenization_utils_base.PreTrainedTokenizerBase",
            "transformers.feature_extraction_utils.FeatureExtractionMixin",
            "transformers.image_processing_base.ImageProcessingMixin",
            "transformers.processing_utils.ProcessorMixin",
        ):
            return False
        return type(obj).__module__.startswith("transformers.")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it into a folder."""
        write(obj, folder / name)
        cls = public_class(obj)
        modules = {"transformers": [cls]}
        more = ""
        if is_a(obj, "torch.nn.modules.module.Module"):
            modules["torch"] = ["Tensor"]
            more = f", dtype={str(obj.dtype)!r}".replace("torch.", "")
        expression = f'transformers.{cls}.from_pretrained(folder / "{name}", local_files_only=True{more})'
        loader = Loader(("import transformers",), expression, OFFLINE)
        return saved(self.name, obj, folder, [name], loader, modules)

    def methods(self, obj: Any) -> list[Method]:
        """`predict` of a model, from token ids to logits; pipelines are the better choice."""
        if not is_a(obj, "torch.nn.modules.module.Module"):
            return []
        name = str(getattr(obj, "main_input_name", "input_ids"))
        body = (
            f"with torch.inference_mode():\n"
            f"    answer = model({name}=torch.tensor({name}, device=model.device))\n"
            f"return answer[0].float().cpu().numpy()"
        )
        return [Method("predict", (name,), body, ("import torch",))]

    def check(self, obj: Any) -> None:
        """Refuse a model in training mode: reading it back ends that."""
        if getattr(obj, "training", False):
            raise NotServableError(f"the {type(obj).__name__} is in training mode", hint="call .eval() first")


def own_class(pipeline: Any) -> None:
    """Refuse pipelines and models of classes that `transformers.pipeline` does not find by itself."""
    for thing in (pipeline, pipeline.model):
        if Distributions.installed().origin(type(thing).__module__) != "transformers":
            raise NotServableError(
                f"the {type(thing).__name__} of the pipeline is no class of transformers",
                hint="serve a function of the notebook that uses it",
            )


def public_class(obj: Any) -> str:
    """Name under which transformers gives the class of an object."""
    import transformers

    for cls in type(obj).__mro__:
        if getattr(transformers, cls.__name__, None) is cls:
            return str(cls.__name__)
    raise NotServableError(f"transformers has no {type(obj).__name__} that could be imported")


def write(obj: Any, target: Path) -> None:
    """Let an object write its folder, without the progress bars that transformers shows; all or nothing."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        obj.save_pretrained(target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    finally:
        if shown:
            logging.enable_progress_bar()


def settings_of(pipeline: Any) -> dict[str, Any]:
    """What a pipeline was told when it was made, as arguments that tell another one the same.

    Raises:
        NotServableError: It cannot be told by plain values.
    """
    kept = tuple(getattr(pipeline, name, {}) for name in SETTINGS)
    settings = {key: plain_value(value) for part in kept for key, value in part.items() if key[0] != "_"}
    unknown = [key for key, value in settings.items() if value is NotImplemented]
    again: Any = ()
    if not unknown:
        try:
            again = pipeline._sanitize_parameters(**settings)
        except (TypeError, ValueError):
            unknown = sorted(settings)
    if unknown or tuple(again) != kept:
        raise NotServableError(
            "the pipeline was made with settings that cannot be written down: "
            f"{', '.join(unknown or sorted(settings))}",
            hint="serve a function of the notebook that calls the pipeline with them",
        )
    settings |= {key: plain_value(value) for key, value in getattr(pipeline, "_generate_kwargs", {}).items()}
    for name in ("batch_size", "num_workers"):
        if (value := getattr(pipeline, f"_{name}", None)) is not None:
            settings[name] = value
    return settings


def plain_value(value: Any) -> Any:
    """A setting as a literal; `NotImplemented` when it is none."""
    from enum import Enum

    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        items = [plain_value(item) for item in value]
        return NotImplemented if NotImplemented in items else items
    return NotImplemented
