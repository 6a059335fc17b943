"""What an object refers to: where its code will live, which libraries it needs, what it must not hold."""

from __future__ import annotations

import importlib
import pickle
import sys
import traceback
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bento_jupyter.errors import NotServableError

from ..packages.distributions import Distributions
from ..parts import Home, Refer
from .leaks import secret_in
from .places import handle_word, locate, locate_where

__all__ = ["PythonPickler", "References", "real_name"]

#: The pickler of the standard library that is written in Python, which joblib and torch build upon, too.
PythonPickler: Any = vars(pickle)["_Pickler"]

#: Letters up to which a text may be a key or token: longer ones are data.
LONGEST_SECRET = 4096
#: Entries up to which a dictionary may be the attributes of an object: a larger one is a table.
LARGEST_NAMESPACE = 1000
HANDLE_HINT = (
    "make it where it is used, in the function or method; or give the class a __getstate__ that leaves it out"
)


class References:
    """What an object refers to while it is pickled: asks where code will live, notes modules, refuses.

    Args:
        root: The object that is saved.
        name: What to call it: its name in the notebook.
        refer: Says where the code of a class or function will live.

    Attributes:
        modules: Modules of libraries that are referred to, each with the names taken from there.
    """

    def __init__(self, root: Any, name: str, refer: Refer) -> None:
        self.root = root
        self.name = name
        self.modules: dict[str, set[str]] = {}
        self._refer = refer
        self._raised: Exception | None = None
        self._distributions = Distributions.installed()

    def home(self, item: Any, written: str | None) -> Home | None:
        """Where the code of `item` will live; None = where it is, in a library.

        Args:
            item: A class, a function, or another object that is pickled by its name.
            written: The name it is to be pickled by; None = that of the class or function.

        Raises:
            NotServableError: It can live nowhere.
        """
        name = str(written or getattr(item, "__qualname__", None) or getattr(item, "__name__", ""))
        module = getattr(item, "__module__", None)
        if not isinstance(module, str):
            module = str(vars(pickle)["whichmodule"](item, name))
        module = real_name(module)
        origin = self._distributions.origin(module)
        importable = origin is not None and "<" not in name
        if not importable:
            home = self._ask(item, self.why(item))
        elif origin and callable(item):  # of a distribution that may be the user's own project
            home = self._ask(item, self.name)
        else:
            home = Home(module, name, library=True)
        if not home.library:
            return home
        self.modules.setdefault(module, set()).add(name)
        return None

    def _ask(self, item: Any, why: str) -> Home:
        try:
            return self._refer(item, why)
        except Exception as error:
            self._raised = error
            raise

    def module(self, item: types.ModuleType) -> tuple[Any, ...]:
        """How a module that an object holds is pickled: as an import.

        Raises:
            NotServableError: It is not a library's.
        """
        name = real_name(item.__name__)
        if self._distributions.origin(name) is None:
            raise self.refusal(
                item, f"the module {name!r}, which is not a library's", "import it in the method"
            )
        self.modules.setdefault(name, set())
        return importlib.import_module, (name,)

    def why(self, item: Any) -> str:
        """What needs a class or function, for people: "clf: step 'clip' of the Pipeline, its func"."""
        place = locate(self.root, item)
        if not place and isinstance(item, type):
            place = locate_where(self.root, lambda node: type(node) is item)
        return f"{self.name}: {place}" if place else self.name

    def secrets(self, item: Any) -> None:
        """Refuse a text, or a dictionary with a text, that looks like a key, a token or a password.

        Raises:
            NotServableError: With its place, and the way to have it in the deployment all the same.
        """
        if type(item) is dict:
            if len(item) > LARGEST_NAMESPACE:
                return  # a table; its texts come by themselves
            for key, value in item.items():
                if type(key) is str and type(value) is str and 0 < len(value) <= LONGEST_SECRET:
                    reason = secret_in(key, value, strict=False)
                    if not reason and secret_in(key, value, strict=True) and self._of_notebook(item):
                        reason = "it is a long random text"
                    if reason:
                        raise self._leak(reason, key, self._owner(item))
        elif 12 <= len(item) <= LONGEST_SECRET:
            text = item if isinstance(item, str) else item.decode("latin-1")
            if reason := secret_in("", text, strict=False):
                raise self._leak(reason, "", locate(self.root, item))

    def _leak(self, reason: str, key: str, place: str) -> NotServableError:
        kind = type(self.root).__name__
        where = f" ({place})" if place else ""
        what = f"under {key!r}: {reason}" if key else reason
        variable = (key or "API_KEY").lstrip("_").upper()
        return NotServableError(
            f"the {kind} {self.name!r} holds what looks like a secret{where}, {what}",
            hint=f'read it where it is used, os.environ["{variable}"], and give it to the deployment as an '
            "environment variable or a secret",
        )

    def _owner(self, attributes: dict[str, Any]) -> str:
        """Where the object or dictionary sits that has these entries."""
        return locate_where(
            self.root, lambda node: node is attributes or getattr(node, "__dict__", None) is attributes
        )

    def _of_notebook(self, attributes: dict[str, Any]) -> bool:
        """Whether these are the attributes of an object whose class is no library's."""
        owners: list[Any] = []

        def owns(node: Any) -> bool:
            if getattr(node, "__dict__", None) is attributes:
                owners.append(node)
            return bool(owners)

        locate_where(self.root, owns)
        return any(self._distributions.origin(real_name(type(owner).__module__)) is None for owner in owners)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Turn whatever a pickler raises into a refusal."""
        try:
            yield
        except NotServableError:
            raise
        except Exception as error:
            if error is self._raised:  # not of the object's making
                raise
            raise self.failure(error) from error

    def refusal(self, item: Any, what: str, hint: str) -> NotServableError:
        """The refusal of something inside the object, with its place."""
        if item is self.root:
            return NotServableError(f"{self.name!r} cannot be saved: it is {what}", hint=hint)
        return NotServableError(f"{self._unsavable()}: it holds {what}{self._at([item])}", hint=hint)

    def failure(self, error: Exception) -> NotServableError:
        """The refusal that an error of the pickler comes to: what could not be saved, and where it sits."""
        chain = objects_on_the_way(error)
        for i, item in enumerate(chain):
            if word := handle_word(item):
                if item is self.root:
                    return self.refusal(item, word, HANDLE_HINT)
                place = self._at(chain[: i + 1])
                return NotServableError(f"{self._unsavable()}: it holds {word}{place}", hint=HANDLE_HINT)
        if isinstance(error, RecursionError):
            hint = "keep the parts in a list, and have them refer to each other by index"
            return NotServableError(f"{self._unsavable()}: its parts are nested too deeply", hint=hint)
        return NotServableError(
            f"{self._unsavable()}: {error}{self._at(chain)}",
            hint="take out open files, locks, connections and generators, or give its class a __getstate__",
        )

    def _unsavable(self) -> str:
        return f"the {type(self.root).__name__} {self.name!r} cannot be saved"

    def _at(self, chain: Sequence[Any]) -> str:
        """In brackets, where the innermost of these objects sits that can be located."""
        places = (locate(self.root, item) for item in reversed(chain))
        place = next((place for place in places if place), "")
        return f" ({place})" if place else ""


def objects_on_the_way(error: Exception) -> list[Any]:
    """The objects that were being pickled when it failed, the outermost first.

    They are read off the traceback: to keep account of them all the time would cost every object a frame.
    """
    save = PythonPickler.save.__code__
    return [
        frame.f_locals["obj"] for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code is save
    ]


def real_name(module: str) -> str:
    """The name a module was imported by: compiled ones also go by a short name (scikit-learn's `_loss`)."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return module if module == "__main__" or spec is None else str(spec.name)
