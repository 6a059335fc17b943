"""scikit-learn, and whatever has its interface: imbalanced-learn, category encoders, the notebook's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bento_jupyter.errors import NotServableError

from ..packages.distributions import Distributions
from ..parts import Method, Refer, Saved
from .framework import Framework
from .pickling import save_pickle

__all__ = ["METHODS", "Estimators", "check_fitted", "estimator_methods"]

#: Methods that become endpoints, the most important first.
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "transform")


class Estimators(Framework):
    """Fitted estimators, transformers and pipelines, in joblib's format, as scikit-learn recommends."""

    name = "scikit-learn"

    def applies(self, obj: Any) -> bool:
        """True for what has `fit` and `get_params`."""
        return not isinstance(obj, type) and hasattr(type(obj), "fit") and hasattr(type(obj), "get_params")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it in joblib's format."""
        return save_pickle(self.name, obj, folder, name, refer, joblib=True)

    def methods(self, obj: Any) -> list[Method]:
        """Those of scikit-learn's interface that it has."""
        return estimator_methods(obj)

    def check(self, obj: Any) -> None:
        """Refuse one that is not fitted, or has nothing to answer."""
        check_fitted(obj)
        if not estimator_methods(obj):
            raise NotServableError(
                f"the {type(obj).__name__} has nothing to serve: none of {', '.join(METHODS)}",
                hint="estimators such as DBSCAN only label what they were fitted on",
            )


def estimator_methods(obj: Any) -> list[Method]:
    """The methods of scikit-learn's interface that an object has, as it is set up and fitted."""
    return [
        Method(name, ("X",), f"return model.{name}(X)")
        for name in METHODS
        if callable(getattr(obj, name, None))
    ]


def check_fitted(obj: Any) -> None:
    """Refuse an estimator that is not fitted.

    Raises:
        NotServableError: With what to do.
    """
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    last = obj
    while isinstance(steps := getattr(last, "steps", None), list) and steps:
        last = steps[-1][1]
    if not hasattr(last, "fit") or Distributions.installed().origin(type(last).__module__) is None:
        return  # by which attributes a class of the notebook tells is its own affair; asking it will show
    try:
        check_is_fitted(obj)
    except NotFittedError as error:
        raise NotServableError(
            f"the {type(obj).__name__} is not fitted", hint="call .fit(X, y) first"
        ) from error
