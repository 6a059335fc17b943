"""Services as BentoML's documentation shows how to write them, in our own words: one of each kind.

Kinds: plain values, pydantic models, one argument that is the whole body, arrays and frames with validators,
files and images, streams, batches, dependencies, tasks, errors, the context, mounted applications, hooks,
health of one's own, routes and prefixes, CORS, metrics of one's own. What needs a network (model hubs) is not
among them.
"""

from __future__ import annotations

__all__ = ["KINDS", "MOUNTED"]

KINDS = """
import asyncio
import contextlib
import typing as t
from datetime import date, timedelta
from enum import Enum
from http import HTTPStatus
from pathlib import Path

import bentoml
import numpy as np
import pandas as pd
from bentoml.exceptions import BentoMLException, InvalidArgument, NotFound, ServiceUnavailable
from bentoml.validators import ContentType, DataframeSchema, DType, Shape
from prometheus_client import Counter
from pydantic import BaseModel, Field, field_validator
from typing_extensions import Annotated

asked = Counter("examples_asked", "How often something was asked", ["what"])


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Point(BaseModel):
    x: float
    y: float = 0.5


class Order(BaseModel):
    name: str = Field(min_length=1, max_length=20, description="Who orders")
    points: t.List[Point] = []
    colour: Colour = Colour.RED
    due: t.Optional[date] = None
    extra: t.Dict[str, t.Any] = {}

    @field_validator("name")
    @classmethod
    def no_digits(cls, value: str) -> str:
        if any(map(str.isdigit, value)):
            raise ValueError("a name has no digits")
        return value


class Odd(BentoMLException):
    error_code = HTTPStatus.IM_A_TEAPOT


@bentoml.service(traffic={"timeout": 30})
class Doubler:
    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=5000)
    def double(self, numbers: t.List[int]) -> t.List[int]:
        return [2 * each for each in numbers]

    @bentoml.api
    def fail(self, text: str) -> str:
        raise InvalidArgument(f"not {text}")


@bentoml.service(
    name="examples",
    traffic={"timeout": 30, "max_concurrency": 50},
    metrics={"enabled": True},
    http={
        "cors": {
            "enabled": True,
            "access_control_allow_origins": ["http://here.example"],
            "access_control_allow_methods": ["GET", "POST"],
            "access_control_max_age": 60,
        }
    },
    envs=[{"name": "GREETING", "value": "hello"}],
)
class Examples:
    doubler = bentoml.depends(Doubler)

    def __init__(self) -> None:
        import os

        self.greeting = os.environ["GREETING"]
        self.started = []

    @bentoml.on_deployment
    @staticmethod
    def once() -> None:
        print("deployed")

    @bentoml.on_startup
    def begin(self) -> None:
        self.started.append("startup")

    @bentoml.on_shutdown
    def end(self) -> None:
        print("bye")

    def __is_alive__(self) -> bool:
        return True

    async def __is_ready__(self) -> bool:
        return bool(self.started)

    @bentoml.api
    def greet(self, name: str = "you", times: Annotated[int, Field(ge=1, le=5)] = 1) -> str:
        asked.labels("greet").inc()
        return " ".join([f"{self.greeting} {name}"] * times)

    @bentoml.api
    def nothing(self) -> None:
        return None

    @bentoml.api
    def everything(
        self,
        number: float,
        flag: bool = False,
        words: t.List[str] = [],
        when: t.Optional[date] = None,
        either: t.Union[int, str] = 1,
        choice: t.Literal["a", "b"] = "a",
        pair: t.Tuple[int, str] = (1, "one"),
    ) -> t.Dict[str, t.Any]:
        return {
            "number": number, "flag": flag, "words": words, "when": when and when + timedelta(days=1),
            "either": either, "choice": choice, "pair": pair, "snow": "\\u2603",
        }

    @bentoml.api
    def order(self, order: Order) -> Order:
        return order.model_copy(update={"name": order.name.upper()})

    @bentoml.api
    def whole(self, order: Order, /) -> t.List[Point]:
        return order.points

    @bentoml.api(input_spec=Order)
    def spread(self, **given: t.Any) -> str:
        return ",".join(sorted(given))

    @bentoml.api(route="/v2/by-route", name="routed")
    async def elsewhere(self, text: str) -> str:
        await asyncio.sleep(0)
        return text[::-1]

    @bentoml.api
    def array(self, array: Annotated[np.ndarray, Shape((2, -1)), DType("float64")]) -> np.ndarray:
        return array * 2

    @bentoml.api
    def total(self, array: np.ndarray) -> float:
        return float(array.sum())

    @bentoml.api
    def frame(
        self, frame: Annotated[pd.DataFrame, DataframeSchema(orient="records", columns=["a", "b"])]
    ) -> pd.DataFrame:
        frame["c"] = frame["a"] + frame["b"]
        return frame

    @bentoml.api
    def size(self, file: Path) -> int:
        return len(file.read_bytes())

    @bentoml.api
    def typed_file(self, file: Annotated[Path, ContentType("text/csv")], note: str = "") -> str:
        return note + file.read_text()

    @bentoml.api
    def make_file(self, name: str, context: bentoml.Context) -> Annotated[Path, ContentType("text/plain")]:
        path = Path(context.temp_dir) / name
        path.write_text("line\\n" * 1000)
        return path

    @bentoml.api
    def raw(self, data: bytes) -> bytes:
        return data[::-1]

    @bentoml.api
    def stream(self, count: int) -> t.Generator[str, None, None]:
        for number in range(count):
            yield f"{number}\\n"

    @bentoml.api
    async def events(self, count: int) -> t.AsyncGenerator[str, None]:
        for number in range(count):
            yield f"data: {number}\\n\\n"
            await asyncio.sleep(0)

    @bentoml.api
    def broken_stream(self) -> t.Generator[str, None, None]:
        yield "first\\n"

    @bentoml.api
    async def doubled(self, number: int) -> int:
        return (await self.doubler.to_async.double([number]))[0]

    @bentoml.api
    def doubled_fails(self, text: str) -> str:
        return self.doubler.fail(text)

    @bentoml.api
    def fail(self, how: str) -> str:
        errors = {
            "invalid": InvalidArgument("that is wrong"),
            "missing": NotFound("that is not there"),
            "busy": ServiceUnavailable("not now"),
            "odd": Odd("a teapot"),
            "value": ValueError("secret detail"),
            "crash": RuntimeError("secret detail"),
        }
        raise errors[how]

    @bentoml.api
    def context(self, context: bentoml.Context) -> str:
        context.response.status_code = 202
        context.response.headers["X-Told"] = context.request.headers.get("x-asked", "nothing")
        context.response.set_cookie("seen", "yes", max_age=60, httponly=True)
        context.state["seen"] = True
        return str(context.request.query_params.get("q", ""))

    @bentoml.task
    def later(self, number: int) -> int:
        if number < 0:
            raise InvalidArgument("below zero")
        return number + 1
"""

MOUNTED = """
import bentoml
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


async def hello(request):
    return JSONResponse({"hello": request.path_params["who"], "query": dict(request.query_params)})


async def root(request):
    return PlainTextResponse("mounted")


app = Starlette(routes=[Route("/", root), Route("/hello/{who}", hello, methods=["GET", "PUT"])])


@bentoml.service(name="mounted", path_prefix="/prefix")
@bentoml.asgi_app(app, path="/web")
class Mounted:
    @bentoml.api
    def echo(self, text: str) -> str:
        return text
"""
