"""Gradient boosting: XGBoost, LightGBM and CatBoost, in their own formats, with the labels kept.

Their scikit-learn wrappers hold what the model file alone has not: labels, encoders, parameters of `predict`.
Where the model file does not keep these, the wrapper is saved with the model in its own format inside.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from bento_jupyter.errors import NotServableError

from ..parts import Loader, Method, Refer, Saved
from .estimators import Estimators, estimator_methods
from .framework import Framework, is_a, saved
from .pickling import save_pickle

__all__ = ["BoostedEstimators", "CatBoost", "LightGBMBooster", "XGBoostBooster"]


class BoostedEstimators(Estimators):
    """Estimators of XGBoost and LightGBM: the wrapper as joblib saves it, the trees in the library's format.

    LightGBM pickles its booster as the text of its model file, and `reducers` does so for XGBoost.

    Args:
        name: Name of the framework.
        package: The library's package.
    """

    def __init__(self, name: str, package: str) -> None:
        self.name = name
        self.package = package

    def applies(self, obj: Any) -> bool:
        """True for estimators whose class is the library's or inherits from one of it."""
        return super().applies(obj) and is_a(obj, f"{self.package}.sklearn.")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save the wrapper with the model inside.

        To both libraries scikit-learn is an extra: their wrappers can be read without it, but not asked.
        """
        found = save_pickle(self.name, obj, folder, name, refer, joblib=True)
        used = found.modules.get("sklearn.base", frozenset()) | {"BaseEstimator"}
        return replace(found, modules={**found.modules, "sklearn.base": used})


class XGBoostBooster(Framework):
    """XGBoost's plain `Booster`, as UBJSON."""

    name = "xgboost.Booster"

    def applies(self, obj: Any) -> bool:
        """True for boosters."""
        return is_a(obj, "xgboost.core.Booster")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it as `.ubj`."""
        file = f"{name}.ubj"
        (folder / file).write_bytes(obj.save_raw("ubj"))
        loader = Loader(("import xgboost",), f'xgboost.Booster(model_file=folder / "{file}")')
        return saved(self.name, obj, folder, [file], loader, {"xgboost": ["Booster"]})

    def methods(self, obj: Any) -> list[Method]:
        """`predict` of rows, which it takes as a `DMatrix`."""
        categorical = ", enable_categorical=True" if "c" in (obj.feature_types or ()) else ""
        body = f"return model.predict(xgboost.DMatrix(X{categorical}))"
        return [Method("predict", ("X",), body, ("import xgboost",))]


class LightGBMBooster(Framework):
    """LightGBM's plain `Booster`, as its text."""

    name = "lightgbm.Booster"

    def applies(self, obj: Any) -> bool:
        """True for boosters."""
        return is_a(obj, "lightgbm.basic.Booster")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save the trees up to the best iteration: those are what `predict` uses."""
        file = f"{name}.txt"
        (folder / file).write_text(obj.model_to_string(), encoding="utf-8")
        loader = Loader(("import lightgbm",), f'lightgbm.Booster(model_file=folder / "{file}")')
        return saved(self.name, obj, folder, [file], loader, {"lightgbm": ["Booster"]})

    def methods(self, obj: Any) -> list[Method]:
        """`predict`."""
        return [Method("predict", ("X",), "return model.predict(X)")]


class CatBoost(Framework):
    """CatBoost's models as `.cbm`, which keeps labels, categorical features and thresholds."""

    name = "catboost"

    def applies(self, obj: Any) -> bool:
        """True for models of CatBoost's own classes; what inherits from them is an estimator as any other."""
        return type(obj).__module__ == "catboost.core" and is_a(obj, "catboost.core.CatBoost")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it as `.cbm`."""
        file = f"{name}.cbm"
        obj.save_model(str(folder / file))
        cls = type(obj).__name__
        loader = Loader(("import catboost",), f'catboost.{cls}().load_model(str(folder / "{file}"))')
        return saved(self.name, obj, folder, [file], loader, {"catboost": [cls]})

    def methods(self, obj: Any) -> list[Method]:
        """Those of scikit-learn's interface that it has."""
        return estimator_methods(obj)

    def check(self, obj: Any) -> None:
        """Refuse one that is not fitted."""
        if not obj.is_fitted():
            raise NotServableError(f"the {type(obj).__name__} is not fitted", hint="call .fit(X, y) first")
