"""Gradient boosting: XGBoost, LightGBM, CatBoost; wrappers and boosters, labels and categories kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from round_trips import Notebook

from bento_jupyter.capture.frameworks import framework_of
from bento_jupyter.errors import NotServableError

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(200, 4))
LABELS = np.array(["high", "low", "mid"])[RANDOM.integers(0, 3, 200)]
CODES = RANDOM.integers(0, 3, 200)
FRAME = pd.DataFrame({"x": ROWS[:, 0], "z": ROWS[:, 1], "city": pd.Categorical(LABELS)})


def test_xgboost_estimators_answer_the_same_elsewhere(tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost", reason="xgboost is not installed")
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    stopped = xgboost.XGBClassifier(n_estimators=40, early_stopping_rounds=2, missing=-9, n_jobs=1)
    notebook = Notebook(tmp_path)
    notebook.names |= {
        "clf": stopped.fit(ROWS, CODES, eval_set=[(ROWS[::-1][:40], CODES[:40])], verbose=False),
        "reg": xgboost.XGBRegressor(n_estimators=5, enable_categorical=True).fit(FRAME, ROWS[:, 1]),
        "piped": make_pipeline(StandardScaler(), xgboost.XGBClassifier(n_estimators=3)).fit(ROWS, CODES),
    }
    holes = np.where(ROWS > 1, -9, ROWS)
    notebook.ask({
        "clf": {"predict": {"X": holes}, "predict_proba": {"X": holes}},
        "reg": {"predict": {"X": FRAME}},
        "piped": {"predict": {"X": ROWS}},
    })  # fmt: skip
    assert notebook.saved["clf"].framework == "xgboost"
    content = (tmp_path / "clf.joblib").read_bytes()
    assert b"learner" in content, "the booster is inside in its own format, UBJSON"
    assert "xgboost.sklearn" in notebook.saved["clf"].modules


def test_xgboost_boosters_answer_the_same_elsewhere(tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost", reason="xgboost is not installed")
    softprob = {"objective": "multi:softprob", "num_class": 3}
    notebook = Notebook(tmp_path)
    notebook.names |= {
        "plain": xgboost.train(softprob, xgboost.DMatrix(ROWS, CODES), 5),
        "cities": xgboost.train({}, xgboost.DMatrix(FRAME, ROWS[:, 0], enable_categorical=True), 5),
    }
    notebook.ask({"plain": {"predict": {"X": ROWS}}, "cities": {"predict": {"X": FRAME}}})
    assert notebook.saved["plain"].files == ("plain.ubj",)


def test_lightgbm_estimators_keep_text_labels_and_the_best_iteration(tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    stop = lightgbm.early_stopping(2, verbose=False)
    notebook = Notebook(tmp_path, "import numpy as np\n\ndef pull(y, p):\n    return p - y, np.ones_like(y)")
    notebook.names |= {
        "clf": lightgbm.LGBMClassifier(n_estimators=60, verbose=-1, n_jobs=1).fit(
            ROWS, LABELS, eval_set=[(ROWS[:40], LABELS[::-1][:40])], callbacks=[stop]
        ),
        "reg": lightgbm.LGBMRegressor(n_estimators=6, verbose=-1, objective=notebook.names["pull"]).fit(
            FRAME, ROWS[:, 0]
        ),
    }
    notebook.ask({
        "clf": {"predict": {"X": ROWS}, "predict_proba": {"X": ROWS}},
        "reg": {"predict": {"X": FRAME}},
    })  # fmt: skip
    assert notebook.saved["clf"].framework == "lightgbm"
    # An extra of LightGBM's, without which its wrappers can be read but not asked.
    assert "sklearn.base" in notebook.saved["reg"].modules
    assert set(notebook.names["clf"].predict(ROWS)) <= {"high", "low", "mid"}


def test_lightgbm_boosters_answer_the_same_elsewhere(tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    quiet = {"verbose": -1, "num_threads": 1}
    stopped = lightgbm.train(quiet, lightgbm.Dataset(ROWS, ROWS[:, 0]), 30)
    stopped.best_iteration = 7
    notebook = Notebook(tmp_path)
    notebook.names |= {
        "stopped": stopped,
        "cities": lightgbm.train(quiet, lightgbm.Dataset(FRAME, ROWS[:, 0], categorical_feature=["city"]), 9),
    }
    notebook.ask({"stopped": {"predict": {"X": ROWS}}, "cities": {"predict": {"X": FRAME}}})
    assert notebook.saved["stopped"].files == ("stopped.txt",)


def test_catboost_keeps_text_labels_categories_and_threshold(tmp_path: Path) -> None:
    catboost = pytest.importorskip("catboost", reason="catboost is not installed")
    frame = FRAME.assign(city=LABELS)
    target = np.where(ROWS[:, 0] > 0, "yes", "no")
    settings = {"iterations": 5, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
    careful = catboost.CatBoostClassifier(**settings, cat_features=["city"]).fit(frame, target)
    careful.set_probability_threshold(0.7)
    notebook = Notebook(tmp_path)
    notebook.names |= {
        "clf": catboost.CatBoostClassifier(**settings, cat_features=["city"]).fit(frame, target),
        "careful": careful,
        "flag": catboost.CatBoostClassifier(**settings).fit(ROWS, CODES > 1),
        "reg": catboost.CatBoostRegressor(**settings).fit(ROWS, ROWS[:, 1]),
    }
    notebook.ask({
        "clf": {"predict": {"X": frame}, "predict_proba": {"X": frame}},
        "careful": {"predict": {"X": frame}},
        "flag": {"predict": {"X": ROWS}},
        "reg": {"predict": {"X": ROWS}},
    })  # fmt: skip
    assert notebook.saved["clf"].files == ("clf.cbm",)


def test_models_that_are_not_fitted_are_refused() -> None:
    models = []
    for library, name in (
        ("xgboost", "XGBClassifier"), ("lightgbm", "LGBMClassifier"), ("catboost", "CatBoostClassifier"),
    ):  # fmt: skip
        models.append(getattr(pytest.importorskip(library, reason=f"{library} is not installed"), name)())
    for model in models:
        with pytest.raises(NotServableError, match="is not fitted"):
            framework_of(model).check(model)
