"""statsmodels and spaCy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from round_trips import Notebook


def data() -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.random(40), "city": ["Oslo", "Lima", "Rome", "Bern"] * 10})
    frame["y"] = frame.x * 2 + random.random(40)
    return frame.assign(late=(frame.y > 1.5).astype(int))


def test_results_of_formulas_answer_the_same_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("statsmodels", reason="statsmodels is not installed")
    notebook = Notebook(
        tmp_path, "import numpy as np\nPOWER = 2\n\ndef bent(values):\n    return values ** POWER"
    )
    frame = data()
    notebook.names["frame"] = frame
    notebook.run("""
        import statsmodels.api as sm
        import statsmodels.formula.api as smf

        line = smf.ols("y ~ np.log1p(x) + C(city) + bent(x)", frame).fit()
        odds = smf.logit("late ~ center(x) + bs(x, df=4)", frame).fit(disp=0)
        general = smf.glm("y ~ x * city", frame, family=sm.families.Gaussian()).fit()
        plain = sm.OLS(frame.y, sm.add_constant(frame[["x"]])).fit()
        """)
    rows = frame[:6][["x", "city"]]
    notebook.ask({
        "line": {"predict": {"X": rows}},
        "odds": {"predict": {"X": rows}},
        "general": {"predict": {"X": rows}},
        "plain": {"predict": {"X": np.array([[1.0, 0.5], [1.0, 0.7]])}},
    })  # fmt: skip
    assert notebook.saved["line"].framework == "statsmodels"
    assert "bent" in notebook.code.source({})


def test_forecasts_are_asked_by_their_length(tmp_path: Path) -> None:
    pytest.importorskip("statsmodels", reason="statsmodels is not installed")
    from statsmodels.tsa.arima.model import ARIMA

    notebook = Notebook(tmp_path)
    notebook.names["series"] = ARIMA(data().y.to_numpy(), order=(1, 0, 0)).fit()
    notebook.ask({"series": {"forecast": {"steps": 3}}})


PIPES = """
from spacy.language import Language

@Language.component("count_words")
def count_words(doc):
    doc.cats["words"] = len(doc)
    return doc

class Mark:
    def __init__(self, value):
        self.value = value
    def __call__(self, doc):
        doc.cats["mark"] = self.value
        return doc

@Language.factory("mark", default_config={"value": 1})
def make_mark(nlp, name, value):
    return Mark(value)
"""


def test_spacy_pipelines_answer_the_same_elsewhere(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy", reason="spacy is not installed")
    nlp = spacy.blank("en")
    texts = nlp.add_pipe("textcat", config={"model": {
        "@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": True, "ngram_size": 1,
        "no_output_layer": False, "length": 64,
    }})  # fmt: skip
    texts.add_label("GOOD")
    texts.add_label("BAD")
    nlp.initialize()
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "ORG", "pattern": "Apple"}])
    notebook = Notebook(tmp_path, PIPES)
    own = spacy.blank("en")
    own.add_pipe("count_words")
    own.add_pipe("mark", config={"value": 3})
    notebook.names |= {"nlp": nlp, "own": own}
    text = {"predict": {"text": "Apple is big"}}
    notebook.ask({"nlp": text, "own": text})
    answer = own("Apple is big").to_json()
    assert answer["cats"] == {"words": 3, "mark": 3}
    assert nlp("Apple is big").to_json()["ents"] == [{"start": 0, "end": 5, "label": "ORG"}]
    assert "import notebook_code" in notebook.saved["own"].loader.imports
