"""statsmodels results, pickled as the library itself does, formulas and what they refer to included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..parts import Method, Refer, Saved
from .framework import Framework, is_a
from .pickling import save_pickle

__all__ = ["StatsmodelsResults"]


class StatsmodelsResults(Framework):
    """Fitted results; `reducers` keeps the design of a formula, which statsmodels leaves to chance."""

    name = "statsmodels"

    def applies(self, obj: Any) -> bool:
        """True for results of models."""
        return is_a(obj, "statsmodels.base.wrapper.ResultsWrapper", "statsmodels.base.model.Results")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it, with the data it was fitted on: results compute from these when they are asked."""
        return save_pickle(self.name, obj, folder, name, refer, joblib=False)

    def methods(self, obj: Any) -> list[Method]:
        """`predict`, of a frame for formulas, of regressors otherwise; `forecast` of steps for series."""
        if is_a(getattr(obj, "_results", obj), "statsmodels.tsa.base.tsa_model.TimeSeriesModelResults"):
            return [Method("forecast", ("steps",), "return model.forecast(steps)")]
        return [Method("predict", ("X",), "return model.predict(X)")]
