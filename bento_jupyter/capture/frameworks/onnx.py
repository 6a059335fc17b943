"""ONNX graphs, and the onnxruntime sessions that answer for them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bento_jupyter.errors import NotServableError

from ..parts import Loader, Method, Refer, Saved
from .framework import Framework, is_a, saved

__all__ = ["OnnxModels", "OnnxSessions", "session_bytes"]

#: Types of numpy by those of ONNX.
DTYPES = {
    "tensor(float)": "np.float32", "tensor(double)": "np.float64", "tensor(float16)": "np.float16",
    "tensor(int64)": "np.int64", "tensor(int32)": "np.int32", "tensor(int16)": "np.int16",
    "tensor(int8)": "np.int8", "tensor(uint64)": "np.uint64", "tensor(uint32)": "np.uint32",
    "tensor(uint16)": "np.uint16", "tensor(uint8)": "np.uint8", "tensor(bool)": "np.bool_",
    "tensor(string)": "object",
}  # fmt: skip
PROVIDERS = 'providers=["CPUExecutionProvider"]'


class OnnxSessions(Framework):
    """`onnxruntime.InferenceSession`: the graph it was made of, asked on the CPU."""

    name = "onnxruntime"

    def applies(self, obj: Any) -> bool:
        """True for sessions."""
        return is_a(obj, "onnxruntime.capi.onnxruntime_inference_collection.InferenceSession")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save the graph as `.onnx`."""
        file = f"{name}.onnx"
        (folder / file).write_bytes(session_bytes(obj))
        loader = Loader(
            ("import onnxruntime",), f'onnxruntime.InferenceSession(folder / "{file}", {PROVIDERS})'
        )
        return saved(self.name, obj, folder, [file], loader, {"onnxruntime": ["InferenceSession"]})

    def methods(self, obj: Any) -> list[Method]:
        """`predict`, with the inputs of the graph; several outputs come by their names."""
        return [run_method(obj, "model", ())]


class OnnxModels(Framework):
    """`onnx.ModelProto`: the graph itself."""

    name = "onnx"

    def applies(self, obj: Any) -> bool:
        """True for graphs."""
        return is_a(obj, "onnx.onnx_ml_pb2.ModelProto")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save the graph as `.onnx`."""
        file = f"{name}.onnx"
        (folder / file).write_bytes(obj.SerializeToString(deterministic=True))
        loader = Loader(("import onnx",), f'onnx.load(folder / "{file}")')
        return saved(
            self.name, obj, folder, [file], loader, {"onnx": ["load"], "onnxruntime": ["InferenceSession"]}
        )

    def methods(self, obj: Any) -> list[Method]:
        """As those of a session, which is made for each request: better serve a session."""
        make = f"session = onnxruntime.InferenceSession(model.SerializeToString(), {PROVIDERS})"
        return [run_method(self.answering(obj), "session", (make,))]

    def answering(self, obj: Any) -> Any:
        """A session for the graph.

        Raises:
            NotServableError: onnxruntime is not installed.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise NotServableError(
                "an ONNX graph is served by onnxruntime, which is not installed",
                hint="pip install onnxruntime",
            ) from error
        return onnxruntime.InferenceSession(obj.SerializeToString(), providers=["CPUExecutionProvider"])


def session_bytes(session: Any) -> bytes:
    """The graph that a session was made of.

    Raises:
        NotServableError: It was read from a file that is gone or changed, and the session does not keep it.
    """
    held = getattr(session, "_model_bytes", None)
    if held:
        return bytes(held)
    path = getattr(session, "_model_path", None)
    if not path or not Path(path).is_file():
        raise NotServableError(
            f"the InferenceSession cannot be saved: its graph {path or ''} is no longer there",
            hint="make it again: session = onnxruntime.InferenceSession(path)",
        )
    return with_weights(Path(path))


def with_weights(path: Path) -> bytes:
    """The graph of a file with the weights that it keeps in files next to it."""
    content = path.read_bytes()
    if b"location" not in content:
        return content
    try:
        import onnx
    except ImportError as error:
        raise NotServableError(
            f"the graph {path.name} may have weights in other files; onnx, to read them, is not installed",
            hint="pip install onnx",
        ) from error
    graph: Any = onnx.load_from_string(content)
    if not any(tensor.external_data for tensor in graph.graph.initializer):
        return content
    whole: bytes = onnx.load(str(path)).SerializeToString(deterministic=True)
    return whole


def run_method(session: Any, variable: str, before: tuple[str, ...]) -> Method:
    """The method that asks a session."""
    names = [(entry.name, parameter_name(entry.name), entry.type) for entry in session.get_inputs()]
    given = ", ".join(
        f'"{name}": np.asarray({parameter}, dtype={DTYPES[kind]})'
        if kind in DTYPES
        else f'"{name}": {parameter}'
        for name, parameter, kind in names
    )
    outputs = [entry.name for entry in session.get_outputs()]
    call = f"{variable}.run(None, {{{given}}})"
    answer = f"return {call}[0]" if len(outputs) == 1 else f"return dict(zip({outputs!r}, {call}))"
    imports = ["import numpy as np"] if "np." in given else []
    imports += ["import onnxruntime"] if before else []
    return Method(
        "predict", tuple(parameter for _, parameter, _ in names), "\n".join((*before, answer)), tuple(imports)
    )


def parameter_name(name: str) -> str:
    """A name of a graph's input as the name of a parameter."""
    plain = re.sub(r"\W", "_", name)
    return plain if plain.isidentifier() else f"input_{plain}"
