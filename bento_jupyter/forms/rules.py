"""What an endpoint would find wrong with a value of the right type, after its JSON schema."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import SchemaError

from .models import said_by

__all__ = ["rule_of"]

#: Rules of JSON schema, as pydantic calls them: endpoints check by pydantic, so it is said in their words.
OF_NUMBERS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}
OF_TEXTS = {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"}
#: Types, what their values are read as, and the rules that mean something for them.
TYPES: dict[str, tuple[Any, dict[str, str]]] = {
    "integer": (int, OF_NUMBERS),
    "number": (float, OF_NUMBERS),
    "string": (str, OF_TEXTS),
}
#: What the texts of some formats are read as.
FORMATS: dict[str, Any] = {
    "date": datetime.date,
    "date-time": datetime.datetime,
    "duration": datetime.timedelta,
    "time": datetime.time,
    "uuid": uuid.UUID,
}


def rule_of(schema: Mapping[str, Any]) -> Callable[[Any], str] | None:
    """What the endpoint would find wrong with a value of the right type, after its schema; None = nothing.

    Example:
        >>> rule_of({"type": "integer", "minimum": 1})(0)
        'Input should be greater than or equal to 1'
    """
    kind, rules = TYPES.get(str(schema.get("type")), (None, {}))
    form = str(schema.get("format"))
    if kind is str and form in FORMATS:
        kind, rules = FORMATS[form], {}
    limits = {ours: schema[theirs] for theirs, ours in rules.items() if theirs in schema}
    if kind in (None, int, float, str) and not limits:
        return None
    annotation: Any = Annotated[kind, Field(**limits)]
    adapter: TypeAdapter[Any] | None = None
    # The engine of endpoints, unless it does not know the pattern: then they have the other one, too.
    for engine in ("python-re", "rust-regex"):
        with suppress(PydanticUserError, SchemaError, TypeError, re.error):  # a rule that it does not know
            adapter = TypeAdapter(annotation, config=ConfigDict(regex_engine=engine))
    if adapter is None:
        return None
    checked = adapter

    def broken(value: Any) -> str:
        try:
            if value is not None:
                checked.validate_python(value)
        except ValidationError as error:
            return said_by(error.errors()[0])
        return ""

    return broken
