"""PyTorch modules, those of classes of the notebook among them, and scripted ones."""

from __future__ import annotations

import inspect
import keyword
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any

from bento_jupyter.errors import NotServableError

from ..parts import Loader, Method, Refer, Saved
from .framework import Framework, is_a, saved
from .pickling import PROTOCOL, Rehoming
from .references import References

__all__ = ["ScriptModules", "Tensors", "TorchModules"]

#: Layers that answer otherwise, or learn, while a module is in training mode.
TRAINING_LAYERS = (
    "torch.nn.modules.dropout._DropoutNd",
    "torch.nn.modules.batchnorm._NormBase",
)
#: Lines that ask a module: arrays in and out, or tensors; on its device, in the dtype of its parameters.
LINES = """\
like = next(model.parameters(), torch.empty(0))
tensors = any(isinstance(value, torch.Tensor) for value in (NAMES,))

def tensor(value):
    if not isinstance(value, torch.Tensor):
        value = torch.tensor(value)
    value = value.to(like.device)
    return value.to(like.dtype) if value.is_floating_point() else value

def plain(value):
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = value.float() if value.dtype == torch.bfloat16 else value
        return value if tensors else value.numpy()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, (list, tuple)) else value

with torch.inference_mode():
    return plain(model(ARGUMENTS))"""


class TorchModules(Framework):
    """`torch.nn.Module`: the whole module, its class by reference, so that nothing is rebuilt by hand."""

    name = "pytorch"

    def applies(self, obj: Any) -> bool:
        """True for modules."""
        return is_a(obj, "torch.nn.modules.module.Module") and not isinstance(obj, type)

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it as `.pt`."""
        return torch_save(self.name, obj, folder, name, refer)

    def methods(self, obj: Any) -> list[Method]:
        """`predict`, with the parameters of `forward`."""
        names = forward_parameters(obj)
        arguments = ", ".join(f"tensor({name})" for name in names)
        lines = LINES.replace("ARGUMENTS", arguments).replace("NAMES", ", ".join(names))
        return [Method("predict", names, lines, ("import torch",))]

    def check(self, obj: Any) -> None:
        """Refuse a module in training mode that has layers for which this matters."""
        for path, layer in obj.named_modules():
            if layer.training and is_a(layer, *TRAINING_LAYERS):
                kind, which = type(obj).__name__, f"{type(layer).__name__} {path!r}"
                raise NotServableError(
                    f"the {kind} is in training mode: its {which} answers otherwise then",
                    hint="call .eval() first",
                )


class ScriptModules(TorchModules):
    """Scripted and traced modules, which need no code but torch's."""

    name = "torchscript"

    def applies(self, obj: Any) -> bool:
        """True for modules of `torch.jit`."""
        return is_a(obj, "torch.jit._script.ScriptModule")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it as torch.jit does."""
        import torch

        file = f"{name}.torchscript.pt"
        torch.jit.save(obj, str(folder / file))
        loader = Loader(("import torch",), f'torch.jit.load(folder / "{file}", map_location="cpu")')
        return saved(self.name, obj, folder, [file], loader, {"torch": ["jit"]})


class Tensors(Framework):
    """Single tensors, and the collections of them that state dictionaries are."""

    name = "pytorch.Tensor"

    def applies(self, obj: Any) -> bool:
        """True for tensors of torch's own classes, and dictionaries of nothing else."""
        values = list(obj.values()) if type(obj) in (dict, OrderedDict) and len(obj) else [obj]
        return all(is_a(value, "torch.Tensor", "torch._tensor.Tensor") for value in values)

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it as `.pt`."""
        return torch_save(self.name, obj, folder, name, refer)


def torch_save(framework: str, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
    """Save an object as `<name>.pt`, in torch's format, with the code it refers to re-homed."""
    import torch

    path = folder / f"{name}.pt"
    references = References(obj, name, refer)

    class Pickler(Rehoming):
        def __init__(self, handle: Any, protocol: int = PROTOCOL) -> None:
            super().__init__(handle, references, protocol)

    pickling = types.ModuleType("pickling")
    pickling.Pickler = Pickler  # type: ignore[attr-defined]
    try:
        with path.open("wb") as handle, references.refusing():
            torch.save(obj, handle, pickle_module=pickling, pickle_protocol=PROTOCOL)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    reading = f'torch.load(folder / "{path.name}", map_location="cpu", weights_only=False)'
    modules = {**references.modules, "torch": {"load"} | references.modules.get("torch", set())}
    return saved(framework, obj, folder, [path.name], Loader(("import torch",), reading), modules)


def forward_parameters(module: Any) -> tuple[str, ...]:
    """The parameters of `forward` that have no default; `X` for one that does not say."""
    if is_a(module, "torch.jit._script.ScriptModule"):
        try:
            declared = [argument for argument in module.forward.schema.arguments if argument.name != "self"]
        except AttributeError:
            return ("X",)
        names = [argument.name for argument in declared if not argument.has_default_value()]
    else:
        parameters = inspect.signature(module.forward).parameters.values()
        names = [
            parameter.name
            for parameter in parameters
            if parameter.default is parameter.empty
            and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        ]
    good = [name for name in names if not name.startswith("_") and not keyword.iskeyword(name)]
    taken = {"model", "like", "tensor", "tensors", "plain", "torch"}
    if len(names) == 1 and (not good or good[0] in ("input", *taken)):
        return ("X",)
    return tuple(f"{name}_" if name in taken else name for name in good) or ("X",)
