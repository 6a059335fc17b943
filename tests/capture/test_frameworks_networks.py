"""Neural networks: PyTorch, Keras, ONNX, Hugging Face; classes of the notebook among them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from round_trips import Notebook

from bento_jupyter.capture.frameworks import ask, framework_of
from bento_jupyter.errors import NotServableError

ROWS = np.random.default_rng(0).random((5, 3))


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


# PyTorch

NET = """
import torch

def swish(x):
    return x * torch.sigmoid(x)

class Block(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = torch.nn.Linear(size, size)
        self.act = swish
    def forward(self, x):
        return self.act(self.layer(x))

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = torch.nn.ModuleList([Block(3), Block(3)])
        self.norm = torch.nn.BatchNorm1d(3)
        self.drop = torch.nn.Dropout(0.5)
        self.register_buffer("shift", torch.arange(3.0))
    def forward(self, rows):
        for block in self.blocks:
            rows = self.drop(self.norm(block(rows)))
        return {"score": rows.sum(1) + self.shift.sum(), "parts": (rows, rows > 0)}

class Two(torch.nn.Module):
    def forward(self, left, right, scale=2.0):
        return (left @ right.T) * scale

class Keeper:
    def __init__(self, net):
        self.net = net
    def predict(self, x):
        with torch.inference_mode():
            return self.net(torch.tensor(x, dtype=torch.float32)).numpy()
"""


def test_modules_of_classes_of_the_notebook_answer_the_same_elsewhere(tmp_path: Path, torch: Any) -> None:
    notebook = Notebook(tmp_path, NET)
    notebook.run("""
        net = Net().eval()
        double = Block(3).double().eval()
        two = Two().eval()
        words = torch.nn.Sequential(torch.nn.Embedding(5, 2), torch.nn.Linear(2, 1)).eval()
        half = torch.nn.Linear(3, 2).to(torch.bfloat16)
        """)
    notebook.ask({
        "net": {"predict": {"rows": ROWS}},
        "double": {"predict": {"x": ROWS}},
        "two": {"predict": {"left": ROWS, "right": ROWS}},
        "words": {"predict": {"X": np.array([1, 4])}},
        "half": {"predict": {"X": ROWS}},
    })  # fmt: skip
    answer = ask(framework_of(notebook.names["net"]).methods(notebook.names["net"])[0], notebook.names["net"],
                 {"rows": ROWS})  # fmt: skip
    assert answer["score"].dtype == np.float32
    assert answer["parts"][1].dtype == np.bool_
    assert "torch.nn.modules.batchnorm" in notebook.saved["net"].modules


def test_a_module_that_is_asked_with_tensors_answers_with_tensors(torch: Any) -> None:
    net = torch.nn.Linear(3, 2)
    (predict,) = framework_of(net).methods(net)
    rows = torch.ones(4, 3, dtype=torch.float64)
    (name,) = predict.parameters
    answer = ask(predict, net, {name: rows})
    assert type(answer) is torch.Tensor
    np.testing.assert_array_equal(answer.numpy(), ask(predict, net, {name: rows.numpy()}))


def test_scripted_modules_need_no_code_of_the_notebook(tmp_path: Path, torch: Any) -> None:
    notebook = Notebook(tmp_path)
    notebook.names |= {
        "scripted": torch.jit.script(torch.nn.Linear(3, 2)),
        "traced": torch.jit.trace(torch.nn.Linear(3, 2), torch.rand(2, 3)),
    }
    notebook.ask({"scripted": {"predict": {"X": ROWS}}, "traced": {"predict": {"X": ROWS}}})
    assert notebook.saved["scripted"].framework == "torchscript"
    assert notebook.code.definitions == []


def test_modules_inside_other_objects_and_state_dictionaries_are_saved(tmp_path: Path, torch: Any) -> None:
    notebook = Notebook(tmp_path, NET)
    notebook.run("keeper = Keeper(Block(3).eval())\nstate = keeper.net.state_dict()\none = torch.arange(3.0)")
    lines = []
    for name in ("keeper", "state", "one"):
        loader = notebook.save(name).loader
        lines += [*loader.imports, f"{name} = {loader.expression}"]
    rows = ROWS.tolist()
    lines.append(f"answers = keeper.predict({rows!r}), sorted(state), one.tolist()")
    notebook.elsewhere("\n".join(lines), {})
    import pickle

    score, keys, one = pickle.loads((tmp_path / "answers.pkl").read_bytes())
    assert np.allclose(score, notebook.names["keeper"].predict(rows), rtol=1e-6)
    assert keys == ["layer.bias", "layer.weight"]
    assert one == [0.0, 1.0, 2.0]


def test_a_module_in_training_mode_is_refused_where_it_matters(torch: Any) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.1))
    with pytest.raises(NotServableError, match=r"training mode: its Dropout '1'") as caught:
        framework_of(net).check(net)
    assert caught.value.hint == "call .eval() first"
    framework_of(net).check(net.eval())
    framework_of(net).check(torch.nn.Linear(3, 2).train())


# Keras


@pytest.fixture(scope="module")
def keras(torch: Any) -> Any:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras", reason="keras is not installed")


LAYERS = """
import keras

@keras.saving.register_keras_serializable("mine")
class Scale(keras.layers.Layer):
    def __init__(self, factor=2.0, **kw):
        super().__init__(**kw)
        self.factor = factor
    def call(self, x):
        return x * self.factor
    def get_config(self):
        return {**super().get_config(), "factor": self.factor}

class Shift(keras.layers.Layer):
    def call(self, x):
        return x + 1

def bend(x):
    return keras.ops.tanh(x) * 2

class Net(keras.Model):
    def __init__(self, **kw):
        super().__init__(**kw)
        self.dense = keras.layers.Dense(2)
    def call(self, x):
        return self.dense(x)
"""


def test_keras_models_with_code_of_the_notebook_answer_the_same_elsewhere(tmp_path: Path, keras: Any) -> None:
    notebook = Notebook(tmp_path, LAYERS)
    notebook.names["rows"] = ROWS
    notebook.run("""
        deep = keras.Sequential([
            keras.Input((3,)), Scale(3.0), Shift(),
            keras.layers.Dense(4, activation=bend), keras.layers.Dense(1),
        ])
        deep.compile("adam", "mse")
        deep.fit(rows, rows[:, 0], verbose=0)
        net = Net()
        net(rows)
        a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
        two = keras.Model([a, b], keras.layers.Dense(1)(keras.layers.concatenate([a, b])))
        """)
    notebook.ask({
        "deep": {"predict": {"X": ROWS}},
        "net": {"predict": {"X": ROWS}},
        "two": {"predict": {"a": ROWS, "b": ROWS}},
    })  # fmt: skip
    assert notebook.saved["deep"].files == ("deep.keras",)
    assert notebook.saved["deep"].loader.environment == {"KERAS_BACKEND": "torch"}


def test_keras_models_with_lambdas_or_without_weights_are_refused(tmp_path: Path, keras: Any) -> None:
    bent = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x + 1)])
    with pytest.raises(NotServableError, match="holds a lambda"):
        Notebook(tmp_path).save("bent", bent)
    assert list(tmp_path.glob("bent*")) == []
    with pytest.raises(NotServableError, match="not built"):
        framework_of(bent).check(keras.Sequential([keras.layers.Dense(1)]))


# ONNX


def test_onnx_graphs_and_sessions_answer_the_same_elsewhere(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    from sklearn.linear_model import LinearRegression, LogisticRegression

    labels = np.array(["no", "yes"])[np.arange(5) % 2]
    graph = skl2onnx.to_onnx(LogisticRegression().fit(ROWS, labels), ROWS[:1].astype("float32"))
    line = skl2onnx.to_onnx(LinearRegression().fit(ROWS, ROWS[:, 0]), ROWS[:1].astype("float64"))
    onnx.save(line, tmp_path / "source.onnx")
    notebook = Notebook(
        tmp_path, "class Keeper:\n    def ask(self, x):\n        return self.session.run(None, x)"
    )
    notebook.names |= {
        "graph": graph,
        "session": runtime.InferenceSession(graph.SerializeToString()),
        "path": runtime.InferenceSession(tmp_path / "source.onnx"),
        "keeper": notebook.names["Keeper"](),
    }
    notebook.ask({name: {"predict": {"X": ROWS}} for name in ("graph", "session", "path")})
    notebook.names["keeper"].session = notebook.names["session"]
    notebook.save("keeper")
    (tmp_path / "source.onnx").unlink()
    with pytest.raises(NotServableError, match="no longer there"):
        notebook.save("gone", notebook.names["path"])


# Hugging Face


@pytest.fixture(scope="module")
def transformers(torch: Any) -> Any:
    return pytest.importorskip("transformers", reason="transformers is not installed")


@pytest.fixture(scope="module")
def tokenizer(transformers: Any) -> Any:
    """A tokenizer of nine words."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "very"]
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "mask_token": "[MASK]"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **special)


def test_pipelines_answer_the_same_elsewhere_without_the_hub(
    tmp_path: Path, transformers: Any, tokenizer: Any
) -> None:
    tiny = transformers.BertConfig(
        vocab_size=9, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=32, id2label={0: "bad", 1: "good"}, label2id={"bad": 0, "good": 1},
    )  # fmt: skip
    writer = transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=9, n_embd=16, n_layer=1, n_head=2, n_positions=32, bos_token_id=2, eos_token_id=3,
    )).eval()  # fmt: skip
    classifier = transformers.BertForSequenceClassification(tiny).eval()
    made = {"tokenizer": tokenizer, "device": "cpu"}
    notebook = Notebook(tmp_path)
    notebook.names |= {
        "mood": transformers.pipeline("text-classification", model=classifier, **made),
        "moods": transformers.pipeline(
            "text-classification", model=classifier, top_k=None, function_to_apply="sigmoid", **made
        ),
        "names": transformers.pipeline(
            "token-classification", model=transformers.BertForTokenClassification(tiny).eval(),
            aggregation_strategy="simple", **made,
        ),
        "write": transformers.pipeline(
            "text-generation", model=writer, max_new_tokens=4, do_sample=False, **made
        ),
        "model": classifier,
    }  # fmt: skip
    text = {"predict": {"text": "very good film"}}
    notebook.ask({
        "mood": text, "moods": text, "names": text, "write": text,
        "model": {"predict": {"input_ids": np.array([[8, 5, 7]])}},
    })  # fmt: skip
    assert {"clf", "mood/config.json", "mood/model.safetensors"} - set(notebook.saved["mood"].files) == {
        "clf"
    }
    assert notebook.saved["mood"].loader.environment == {"HF_HUB_OFFLINE": "1"}


def test_tokenizers_are_saved_by_themselves(tmp_path: Path, transformers: Any, tokenizer: Any) -> None:
    notebook = Notebook(tmp_path)
    loader = notebook.save("tokenizer", tokenizer).loader
    notebook.elsewhere(
        "\n".join([*loader.imports, f"answers = {loader.expression}('very good film')['input_ids']"]), {}
    )
    import pickle

    assert pickle.loads((tmp_path / "answers.pkl").read_bytes()) == [8, 5, 7]


def test_pipelines_of_classes_of_the_notebook_are_refused(
    tmp_path: Path, transformers: Any, tokenizer: Any
) -> None:
    notebook = Notebook(
        tmp_path, "import transformers\n\nclass Mine(transformers.TextClassificationPipeline):\n    pass"
    )
    tiny = transformers.BertConfig(
        vocab_size=9, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    mine = notebook.names["Mine"](
        model=transformers.BertForSequenceClassification(tiny), tokenizer=tokenizer, device="cpu"
    )
    with pytest.raises(NotServableError, match="no class of transformers"):
        notebook.save("mine", mine)
