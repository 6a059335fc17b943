"""Endpoints of a Bento that is really served: what goes in and out by JSON and by Arrow, what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import decimal
import io
import json
import math
import shutil
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from built_bento import build_bento
from PIL import Image

import bento_jupyter
from bento_jupyter.capture.interface.schema import annotation_of, describe_parameter
from bento_jupyter.client.endpoint import Endpoints
from bento_jupyter.codec import FileContent, decode_answer, describe
from bento_jupyter.codec.arrow import MEDIA_TYPE, answer_from_arrow, to_arrow
from bento_jupyter.errors import CallError, WaitTimeoutError
from bento_jupyter.launcher import ReplicaProcess, launch_replica

ROWS = np.arange(12, dtype="float32").reshape(6, 2)
STAMP = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=datetime.timezone.utc)
RECORD: dict[str, Any] = {
    "name": "x",
    "scores": [0.5, math.inf],
    "at": STAMP,
    "id": uuid.UUID(int=7),
    "price": decimal.Decimal("1.50"),
    "raw": b"\x00\xff",
    "array": np.array([[1, 2]], dtype="int8"),
    "pair": (1, "a"),
    "big": 2**100,
}


def frame_of(rows: int = 6) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "n": np.arange(rows, dtype="int8"),
            "f": np.array([0.1, np.nan, -0.0] * (rows // 3), dtype="float32"),
            "t": ["a", "b", "c"] * (rows // 3),
            "maybe": pd.array([1, None, 2**60 + 1] * (rows // 3), dtype="Int64"),
            "size": pd.Categorical(["S", "M", "L"] * (rows // 3), categories=["S", "M", "L"], ordered=True),
            "kind": pd.Categorical(["u", None, "v"] * (rows // 3)),
            "at": pd.date_range("2024-10-27", periods=rows, freq="h", tz="Europe/Berlin"),
            "took": pd.to_timedelta(np.arange(rows), unit="s"),
            "mixed": pd.Series([1, "x", None] * (rows // 3), dtype=object),
        },
        index=pd.Index([f"r{i}" for i in range(rows)], name="key"),
    )


SERIES = pd.Series([1.5, 2.5], name="s", index=pd.date_range("2024", periods=2, freq="D"))

#: Endpoints that answer with what they got: name -> sample of their one input `x`.
ECHOES: dict[str, Any] = {
    "array": ROWS,
    "labels": np.array([["a", "bc"]]),
    "days": np.array(["2024-02-29", "NaT"], dtype="datetime64[D]"),
    "point": np.array(2.5),
    "frame": frame_of(),
    "series": SERIES,
    "record": RECORD,
    "number": 3,
    "ratio": 0.5,
    "text": "a\nb",
    "data": b"\x00\xffraw",
    "stamp": STAMP,
    "nothing": None,
    "single": np.float32(0.1),
    "counts": {1: 2, 3: 4},
    "unique": {1, 2},
    "moment": pd.Timestamp("2024-01-01T00:00:00.123456789", tz="Europe/Berlin"),
}


@dataclass
class Tree:
    value: int
    children: list[Tree] = field(default_factory=list)


SERVICE = """
from __future__ import annotations
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
import json, os, sys
if os.environ.get("WITHOUT_PYARROW"):
    sys.modules["pyarrow"] = None
import bentoml
import numpy as np
from bento_codec import ArrowMiddleware, endpoint_types
{imports}

HERE = Path(__file__).parent
TYPES = endpoint_types(HERE / "endpoints.json")

@dataclass
class Person:
    name: str
    age: int

@dataclass
class Tree:
    value: int
    children: list[Tree] = field(default_factory=list)

@bentoml.service(workers=1, traffic={{"timeout": 30}})
class Service:
{echoes}
    @bentoml.api
    def scale(self, rows: {rows}, factor: {factor} = 2.0, offset: {offset} = None) -> {scaled}:
        return rows * np.float32(factor) + np.float32(offset or 0)

    @bentoml.api
    def changeable(self, what: {what}) -> {answer}:
        return {{"none": None, "text": "said", "float": 1.5, "bytes": b"b", "nan": float("nan"),
                "array": np.zeros(2, "int8"), "list": [1, "a", None], "complex": 1j}}.get(what, 1)

    @bentoml.api
    def maybe_rows(self, what: {what2}) -> {rows_or}:
        return {{"none": None, "text": "said", "float": 1.5, "array": np.zeros(2, "int8"),
                "list": [1, "a", None], "complex": np.zeros(2, complex)}}[what]

    @bentoml.api
    def grow(self, tree: {tree}) -> {grown}:
        return Tree(0, [tree])

    @bentoml.api
    def select(self, frame: {frame}, least: {least}) -> {selected}:
        return frame[frame["n"] >= least]

    @bentoml.api
    def two(self, a: {rows2}, b: {rows3}) -> {scaled2}:
        return a + b

    @bentoml.api
    def older(self, person: {person}, by: {by}) -> {older}:
        return Person(person.name, person.age + by)

    @bentoml.api
    def flip(self, image: {image}, times: {times} = 1) -> {flipped}:
        for _ in range(times):
            image = image.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT)
        return image

    @bentoml.api
    def size_of(self, file: {file}) -> {size}:
        return f"{{file.suffix}} {{len(file.read_bytes())}}"

    @bentoml.api(route="/some/where")
    def elsewhere(self, x: {x}) -> {y}:
        return x

    @bentoml.api
    def whole(self, person: Person, /) -> {whole}:
        return person.name

    @bentoml.api
    def words(self, text: {words}) -> Iterator[str]:
        for word in text.split():
            yield word + " "

    @bentoml.api
    def countdown(self, n: {n}) -> {lines}:
        for i in range(n, 0, -1):
            yield json.dumps(TYPES["countdown"]["output"].to_json({{"left": i}})) + "\\n"

    @bentoml.task
    def later(self, rows: {later}) -> {sum}:
        return rows.sum(axis=0)

Service.add_asgi_middleware(ArrowMiddleware, endpoints=HERE / "endpoints.json", most_bytes=4_000_000)
"""


def project() -> tuple[str, dict[str, Any]]:
    """The source of the service and its `endpoints.json`, as capture makes them."""
    endpoints: dict[str, Any] = {}
    imports: set[str] = {"import PIL.Image"}

    def annotate(endpoint: str, parameter: str, sample: Any, hint: Any = None, cls: str = "") -> str:
        descriptor = describe_parameter(sample, hint)
        types = endpoints.setdefault(endpoint, {"inputs": {}, "output": None})
        typed = f'TYPES["{endpoint}"]["output"]'
        if parameter:
            types["inputs"][parameter] = descriptor
            typed = f'TYPES["{endpoint}"]["inputs"]["{parameter}"]'
        else:
            types["output"] = descriptor
        source, lines = annotation_of(descriptor, typed, cls)
        imports.update(lines)
        return " ".join(source.split())

    echoes = "".join(
        f"    @bentoml.api\n    def {name}(self, x: {annotate(name, 'x', sample)})"
        f" -> {annotate(name, '', sample)}:\n        return x\n"
        for name, sample in ECHOES.items()
    )
    person = {"kind": "model", "type": "Person", "schema": {}}
    words = dict(  # noqa: C408 - names of the template
        rows=annotate("scale", "rows", ROWS),
        factor=annotate("scale", "factor", 2.0, float),
        offset=annotate("scale", "offset", None, float | None),
        scaled=annotate("scale", "", ROWS),
        what=annotate("changeable", "what", "none"),
        answer=annotate("changeable", "", 1),
        what2=annotate("maybe_rows", "what", "none"),
        rows_or=annotate("maybe_rows", "", np.zeros(2, "int8")),
        tree=annotate("grow", "tree", Tree(1), Tree),
        grown=annotate("grow", "", Tree(1)),
        frame=annotate("select", "frame", frame_of().reset_index(drop=True)),
        least=annotate("select", "least", 0),
        selected=annotate("select", "", frame_of().reset_index(drop=True)),
        rows2=annotate("two", "a", ROWS),
        rows3=annotate("two", "b", ROWS),
        scaled2=annotate("two", "", ROWS),
        by=annotate("older", "by", 1),
        image=annotate("flip", "image", Image.new("RGB", (2, 2))),
        times=annotate("flip", "times", 1),
        flipped=annotate("flip", "", Image.new("RGB", (2, 2))),
        file=annotate("size_of", "file", Path("a.csv")),
        size=annotate("size_of", "", ".csv 3"),
        x=annotate("elsewhere", "x", ROWS),
        y=annotate("elsewhere", "", ROWS),
        whole=annotate("whole", "", "Ada"),
        words=annotate("words", "text", "a b"),
        n=annotate("countdown", "n", 3),
        later=annotate("later", "rows", ROWS),
        sum=annotate("later", "", ROWS.sum(axis=0)),
        person='Annotated[Person, TYPES["older"]["inputs"]["person"]]',
        older='Annotated[Person, TYPES["older"]["output"]]',
        lines='Iterator[Annotated[str, TYPES["countdown"]["output"]]]',
    )
    endpoints["older"]["inputs"] = {"person": person, "by": endpoints["older"]["inputs"]["by"]}
    endpoints["older"]["output"] = person
    endpoints["whole"]["inputs"] = {"person": None}
    endpoints["words"] |= {"output": {"kind": "str"}, "stream": "text"}
    endpoints["countdown"] |= {"output": describe({"left": 1}), "stream": "lines"}
    endpoints["later"]["task"] = True
    source = SERVICE.format(echoes=echoes, imports="\n".join(sorted(imports)), **words)
    return source, {"endpoints": endpoints}


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bento")
    source, endpoints = project()
    place = folder / "project-tested-v1"
    place.mkdir(parents=True)
    (place / "endpoints.json").write_text(json.dumps(endpoints), encoding="utf-8")
    shutil.copytree(
        Path(bento_jupyter.__file__).parent / "codec",
        place / "bento_codec",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return build_bento(folder, source)


@pytest.fixture(scope="module")
def replica(bento: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaProcess]:
    folder = tmp_path_factory.mktemp("r")
    replica = launch_replica(
        Path(sys.executable), bento, folder / "r.sock", log=folder / "replica.log", scratch=folder / "scratch"
    )
    try:
        replica.wait_ready(60)
        yield replica
    finally:
        replica.stop()


@pytest.fixture(scope="module")
def client(replica: ReplicaProcess) -> Iterator[httpx.Client]:
    transport = httpx.HTTPTransport(uds=str(replica.socket_path))
    with httpx.Client(transport=transport, base_url="http://replica", timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def endpoints(client: httpx.Client) -> Endpoints:
    return Endpoints("http://replica", client=client)


@pytest.fixture(scope="module")
def plain(client: httpx.Client, endpoints: Endpoints) -> Endpoints:
    """The same without Arrow."""
    found = Endpoints("http://replica", client=client)
    found._without_arrow |= set(endpoints.names)
    return found


def assert_same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, pd.DataFrame):
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    elif isinstance(a, pd.Series):
        pd.testing.assert_series_equal(a, b, check_exact=True)
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert a.tobytes() == b.tobytes()
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, float) and math.isnan(a):
        assert math.isnan(b)
    else:
        assert a == b


@pytest.mark.parametrize("name", ECHOES)
def test_what_goes_in_comes_back_by_json(name: str, plain: Endpoints) -> None:
    assert_same(ECHOES[name], plain.call(name, ECHOES[name]).value)


@pytest.mark.parametrize("name", ["array", "labels", "days", "point", "frame", "series"])
def test_what_goes_in_comes_back_by_arrow(name: str, endpoints: Endpoints) -> None:
    assert endpoints.takes_arrow(name)
    assert_same(ECHOES[name], endpoints.call(name, ECHOES[name]).value)
    assert_same(ECHOES[name][:0], endpoints.call(name, ECHOES[name][:0]).value) if np.ndim(
        ECHOES[name]
    ) else None


def test_both_forms_are_what_they_say(client: httpx.Client) -> None:
    body = to_arrow({"x": ROWS}, {"x": describe(ROWS)})
    sent = {"Content-Type": MEDIA_TYPE}
    as_json = client.post("/array", content=body, headers=sent)
    assert as_json.headers["content-type"] == "application/json"
    assert as_json.json() == ROWS.tolist()
    as_arrow = client.post("/array", content=body, headers={**sent, "Accept": f"{MEDIA_TYPE}, */*"})
    assert as_arrow.headers["content-type"] == MEDIA_TYPE
    assert_same(answer_from_arrow(as_arrow.content), ROWS)
    from_json = client.post("/array", json={"x": ROWS.tolist()}, headers={"Accept": MEDIA_TYPE})
    assert_same(answer_from_arrow(from_json.content), ROWS)


def test_a_stream_of_another_writer_is_taken(client: httpx.Client) -> None:
    frame = frame_of().reset_index(drop=True)
    table = pa.table({name: pa.array(frame[name]) for name in frame if name != "mixed"})
    table = table.append_column("mixed", pa.array(["q"] * 6)).cast(
        pa.schema([*table.schema.set(0, pa.field("n", pa.int64())), pa.field("mixed", pa.string())])
    )
    sink = io.BytesIO()
    schema = table.schema.with_metadata({"parameters": json.dumps({"least": 4})})
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(table.cast(schema))
    answer = client.post("/select", content=sink.getvalue(), headers={"Content-Type": MEDIA_TYPE})
    assert answer.status_code == 200, answer.text
    wanted = frame.assign(mixed=pd.Series(["q"] * 6, dtype=object)).query("n >= 4")
    assert_same(decode_answer(answer.json(), describe(frame)), wanted)


def test_row_labels_that_the_schema_does_not_know_are_told(endpoints: Endpoints, plain: Endpoints) -> None:
    frame = frame_of().reset_index(drop=True)
    for way in (endpoints, plain):
        assert_same(way.call("select", frame, 3).value, frame[frame["n"] >= 3])
        assert_same(way.call("select", frame, 0).value, frame)


def test_row_labels_may_be_left_out(client: httpx.Client) -> None:
    rows = client.post("/series", json={"x": [1, 2]}).json()
    assert rows == [1.0, 2.0]
    labelled = client.post(
        "/series", json={"x": {"index": ["2024-01-01", "2024-01-03"], "data": [1, 2]}}
    ).json()
    assert labelled == {"index": ["2024-01-01T00:00:00", "2024-01-03T00:00:00"], "data": [1.0, 2.0]}


def test_several_inputs_by_name_and_position_with_defaults(endpoints: Endpoints, plain: Endpoints) -> None:
    for way in (endpoints, plain):
        assert_same(way.call("scale", ROWS).value, ROWS * np.float32(2))
        assert_same(way.call("scale", ROWS, 3, offset=1.0).value, ROWS * np.float32(3) + np.float32(1))
        assert_same(way.call("scale", rows=ROWS, offset=None).value, ROWS * np.float32(2))
    with pytest.raises(CallError, match="'factr' of endpoint 'scale' is unknown"):
        endpoints.call("scale", ROWS, factr=3)


@pytest.mark.parametrize(
    ("what", "value"),
    [("none", None), ("text", "said"), ("float", 1.5), ("bytes", b"b"), ("nan", math.nan),
     ("array", np.zeros(2, "int8")), ("list", [1, "a", None]), ("other", 1)],
)  # fmt: skip
def test_an_answer_other_than_promised_comes_back_as_it_is(
    what: str, value: Any, endpoints: Endpoints
) -> None:
    assert_same(value, endpoints.call("changeable", what).value)


@pytest.mark.parametrize("name", ["changeable", "maybe_rows"])
def test_what_json_has_is_plain_json_for_everybody(name: str, client: httpx.Client) -> None:
    for what, value in (("none", None), ("float", 1.5), ("list", [1, "a", None])):
        assert client.post(f"/{name}", json={"what": what}).json() == value
    assert client.post(f"/{name}", json={"what": "text"}).text == "said"


@pytest.mark.parametrize("name", ["changeable", "maybe_rows"])
@pytest.mark.parametrize("accept", ["application/json", MEDIA_TYPE])
def test_an_answer_that_cannot_be_sent_says_why(name: str, accept: str, client: httpx.Client) -> None:
    answer = client.post(f"/{name}", json={"what": "complex"}, headers={"Accept": accept})
    assert answer.status_code == 500
    assert "complex" in answer.json()["error"]
    assert name in answer.json()["error"]


def test_an_array_may_be_something_else_once(endpoints: Endpoints, plain: Endpoints) -> None:
    for way in (endpoints, plain):
        assert_same(way.call("maybe_rows", "none").value, None)
        assert_same(way.call("maybe_rows", "array").value, np.zeros(2, "int8"))


def test_models_may_hold_models_and_themselves(client: httpx.Client) -> None:
    tree = {"value": 1, "children": [{"value": 2, "children": []}]}
    assert client.post("/grow", json={"tree": tree}).json() == {"value": 0, "children": [tree]}
    assert client.post("/grow", json={"tree": {"value": "x"}}).status_code == 400
    route = next(route for route in client.get("/schema.json").json()["routes"] if route["name"] == "grow")
    assert route["input"]["properties"]["tree"]["properties"]["children"]["items"]["title"] == "Tree"
    assert client.get("/docs.json").status_code == 200


def test_unknown_fields_of_a_form_are_refused(client: httpx.Client) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (2, 2)).save(picture, format="PNG")
    files = {"image": ("a.png", picture.getvalue(), "image/png")}
    assert client.post("/flip", files=files, data={"times": "1"}).status_code == 200
    refused = client.post("/flip", files=files, data={"tims": "1"})
    assert refused.status_code == 400
    assert "flip has no input 'tims'; its inputs: image, times" in said(refused)


@contextlib.asynccontextmanager
async def on_a_port(path: Path) -> AsyncIterator[str]:
    """The URL of a TCP port that leads to a Unix socket."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
        sink.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asked = await asyncio.open_unix_connection(str(path))
        await asyncio.gather(pump(reader, asked), pump(answers, writer))

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_calls_may_be_asynchronous(replica: ReplicaProcess) -> None:
    async def ask() -> str:
        async with on_a_port(replica.socket_path) as url:
            endpoints = Endpoints(url)
            found = await asyncio.gather(
                endpoints.acall("array", ROWS), endpoints.acall("later", ROWS), endpoints.acall("text", "a")
            )
            rows, summed, text = (answer.value for answer in found)
            assert_same(rows, ROWS)
            assert_same(summed, ROWS.sum(axis=0))
            assert text == "a"
            with pytest.raises(CallError, match="text is wanted") as caught:
                await endpoints.acall("text", 1)
            assert "input 'x' of endpoint 'text'" in str(caught.value)
            with pytest.raises(CallError) as caught:
                await endpoints.acall("maybe_rows", "nothing of this name")
            assert caught.value.status_code == 500
            endpoints._client.close()
            return url

    gone = asyncio.run(ask())
    known = Endpoints(gone, schema={"routes": [{"name": "a", "route": "/a"}]})
    with pytest.raises(CallError, match="no answer from"):
        asyncio.run(known.acall("a"))


def test_a_timeout_is_for_the_whole_answer_however_it_trickles() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"1\r\n \r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            writer.close()

    async def ask() -> None:
        async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
            routes = [{"name": "one", "route": "/one"}, {"name": "parts", "route": "/parts"}]
            routes[1]["output"] = {"type": "string", "is_stream": True}
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            endpoints = Endpoints(url, schema={"routes": routes})
            with pytest.raises(WaitTimeoutError):
                await endpoints.acall("one", timeout=0.2)
            for call in (endpoints.call, lambda *a, **k: list(endpoints.stream(*a, **k))):
                with pytest.raises(WaitTimeoutError):
                    await asyncio.to_thread(call, "one" if call == endpoints.call else "parts", timeout=0.2)
            endpoints._client.close()

    asyncio.run(asyncio.wait_for(ask(), 30))


def test_large_bodies_come_back(plain: Endpoints, endpoints: Endpoints) -> None:
    rows = np.random.default_rng(0).normal(size=(20_000, 2)).astype("float32")
    for way in (endpoints, plain):
        assert_same(way.call("array", rows).value, rows)


def test_models_are_read_and_written_by_pydantic(client: httpx.Client) -> None:
    answer = client.post("/older", json={"person": {"name": "Ada", "age": 36}, "by": 1})
    assert answer.json() == {"name": "Ada", "age": 37}
    refused = client.post("/older", json={"person": {"name": "Ada", "age": "old"}, "by": 1})
    assert refused.status_code == 400
    assert "age" in refused.text


def test_the_whole_body_may_be_one_input(client: httpx.Client, endpoints: Endpoints) -> None:
    assert client.post("/whole", json={"name": "Ada", "age": 36}).text == "Ada"
    assert endpoints.call("whole", {"name": "Ada", "age": 36}).value == "Ada"


def test_an_endpoint_may_be_at_another_address(client: httpx.Client, endpoints: Endpoints) -> None:
    assert_same(endpoints.call("elsewhere", ROWS).value, ROWS)
    assert client.post("/some/where", json={"x": [], "y": 1}).status_code == 400


def test_a_text_stays_one_whatever_it_looks_like(plain: Endpoints) -> None:
    for text in ("5", "null", '{"a": 1}', "", "é"):
        assert plain.call("text", text).value == text


def test_images_and_files_are_uploaded(endpoints: Endpoints, tmp_path: Path) -> None:
    image = Image.fromarray(np.arange(24, dtype="uint8").reshape(2, 4, 3))
    flipped = endpoints.call("flip", image, times=1).value
    assert np.array_equal(np.asarray(flipped), np.asarray(image)[:, ::-1])
    assert np.array_equal(np.asarray(endpoints.call("flip", image, times=2).value), np.asarray(image))
    path = tmp_path / "some.csv"
    path.write_bytes(b"1,2,3")
    assert endpoints.call("size_of", path).value.endswith(".csv 5")
    content = FileContent(b"1,2,3")
    content.name = "x.csv"
    assert endpoints.call("size_of", content).value.endswith(".csv 5")


def test_streams_come_whole_or_in_parts(endpoints: Endpoints) -> None:
    assert endpoints.call("words", "so it goes").value == "so it goes "
    assert "".join(endpoints.stream("words", "so it goes")) == "so it goes "
    assert endpoints.call("countdown", 2).value == [{"left": 2}, {"left": 1}]
    assert list(endpoints.stream("countdown", 2)) == [{"left": 2}, {"left": 1}]


def test_a_task_is_waited_for(endpoints: Endpoints) -> None:
    assert_same(endpoints.call("later", ROWS).value, ROWS.sum(axis=0))
    with pytest.raises(CallError, match="row 0 has 1 values, 2 are wanted") as caught:
        endpoints.send("later", {"rows": [[1]]})
    assert caught.value.status_code == 400


GOOD = {"n": 1, "f": 0.5, "t": "a", "maybe": 1, "size": "S", "kind": "u", "at": "2024-01-01T00:00:00+01:00",
        "took": 1, "mixed": 1}  # fmt: skip


def changed(**cells: Any) -> list[dict[str, Any]]:
    return [GOOD, {**GOOD, **cells}]


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("array", {"x": [[1, 2], [1]]}, "row 1 has 1 values, 2 are wanted"),
        ("array", {"x": [[1, "2"]]}, "row 0, column 1: '2' is text, a number"),
        ("array", {"x": [[1, True]]}, "row 0, column 1: True is true/false"),
        ("array", {"x": [[1, 1e300]]}, "does not fit float32"),
        ("array", {"y": [[1, 2]]}, "array has no input 'y'; its inputs: x"),
        ("array", {}, "Field required"),
        ("array", {"x": {"$lent": "0" * 32}}, "a list of values is wanted, not an object"),
        ("array", {"x": {"$type": {"kind": "int"}, "value": 1}}, "a list of values is wanted, not an object"),
        ("array", [1], "Input should be"),
        ("frame", {"x": changed(n=1.5)}, "row 1, column 'n': 1.5 is not a whole number (int8)"),
        ("frame", {"x": changed(n=300)}, "row 1, column 'n': 300 does not fit int8"),
        ("frame", {"x": changed(n=None)}, "row 1, column 'n': None is null, a whole number is wanted"),
        ("frame", {"x": changed(n=True)}, "row 1, column 'n': True is true/false"),
        ("frame", {"x": changed(f="high")}, "row 1, column 'f': 'high' is text"),
        ("frame", {"x": changed(t=5)}, "row 1, column 't': 5 is a number, text or null is wanted"),
        ("frame", {"x": changed(t=None)}, "row 1, column 't': null, but text is wanted"),
        ("frame", {"x": changed(maybe=2**64)}, "row 1, column 'maybe': 18446744073709551616 does not fit"),
        ("frame", {"x": changed(size="XL")}, "row 1, column 'size': 'XL' is none of the ordered categories"),
        ("frame", {"x": changed(at="2024-01-01")}, "row 1, column 'at': '2024-01-01' must have an offset"),
        ("frame", {"x": changed(at="soon")}, "row 1, column 'at': 'soon' is not a time"),
        ("frame", {"x": changed(took=0.5)}, "row 1, column 'took': 0.5 is not a whole number"),
        ("frame", {"x": changed(extra=0)}, "row 1 has the unknown columns ['extra']"),
        ("frame", {"x": [{"n": 1}]}, "row 0 lacks the columns"),
        ("frame", {"x": {"index": ["a"], "data": changed()}}, "the index has 1 labels, 2 are wanted"),
        ("frame", {"x": {"index": ["a", 3], "data": changed()}}, "index 1: 3 is a number, text"),
        ("record", {"x": {"name": "x"}}, "it lacks the fields ['scores'"),
        ("number", {"x": 1.5}, "1.5 is a number, a whole number is wanted"),
        ("number", {"x": "1"}, "'1' is text, a whole number is wanted"),
        ("number", {"x": True}, "True is true/false, a whole number is wanted"),
        ("number", {"x": None}, "None is null, a whole number is wanted"),
        ("text", {"x": 1}, "1 is a number, text is wanted"),
        ("data", {"x": "?"}, "'?' is not base64"),
        ("stamp", {"x": "2024-01-01T00:00:00"}, "must have an offset from UTC"),
        ("unique", {"x": [[1]]}, "item 0: [1] is a list, a whole number is wanted"),
        ("counts", {"x": {"a": 1}}, "the key 'a'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_400_that_says_where(
    name: str, body: Any, words: str, client: httpx.Client
) -> None:
    answer = client.post(f"/{name}", json=body)
    assert answer.status_code == 400, answer.text
    assert words in said(answer)


def said(answer: httpx.Response) -> str:
    """What an error says, each problem in a line."""
    body = answer.json()
    return "\n".join([body["error"], *(each["msg"] for each in body.get("detail", []))])


def stream_of(table: pa.Table, **metadata: Any) -> bytes:
    sink = io.BytesIO()
    schema = table.schema.with_metadata({key: json.dumps(item) for key, item in metadata.items()})
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(table.cast(schema))
    return sink.getvalue()


WHOLE = to_arrow({"x": ROWS}, {"x": describe(ROWS)})


@pytest.mark.parametrize(
    ("name", "body", "status", "words"),
    [
        ("array", WHOLE[:-8], 400, "its end is missing"),
        ("array", WHOLE[:200], 400, "its end is missing"),
        ("array", WHOLE[:200] + WHOLE[-8:], 400, "the stream"),
        ("array", WHOLE + WHOLE, 400, "behind the end"),
        ("array", b"", 400, "its end is missing"),
        ("array", b"\xff" * 64 + WHOLE[-8:], 400, "the stream"),
        (
            "array",
            to_arrow({"x": ROWS[:, :1]}, {"x": describe(ROWS)}),
            400,
            "rows of the shape [1] do not fit",
        ),
        ("array", stream_of(pa.table({"x": ["a", "b"]})), 400, "array: x: rows of the shape [] do not fit"),
        ("array", stream_of(pa.table({"a": [1], "b": [2]})), 400, "one column is wanted"),
        ("series", stream_of(pa.table({"a": ["x", "y"]})), 400, "row 0: 'x' is text"),
        ("select", stream_of(pa.table({"n": [1]}), parameters={"least": 1}), 400, "lacks the columns"),
        ("select", stream_of(pa.table({"n": [1]}), parameters={"worst": 1}), 400, "unknown inputs ['worst']"),
        ("whole", WHOLE, 415, "its one input is the whole body"),
        ("number", WHOLE, 415, "no input is a table; send JSON"),
        ("two", WHOLE, 415, "a, b are tables, a stream carries one"),
        ("later/submit", WHOLE, 415, "tasks are kept as JSON"),
        ("array", b"\0" * 4_000_001, 413, "larger than 4,000,000 bytes"),
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else str(value),
)
def test_a_stream_that_does_not_fit_is_refused(
    name: str, body: bytes, status: int, words: str, client: httpx.Client
) -> None:
    answer = client.post(f"/{name}", content=body, headers={"Content-Type": MEDIA_TYPE})
    assert answer.status_code == status, answer.text
    assert words in said(answer)


def test_any_cut_of_a_stream_is_refused(client: httpx.Client) -> None:
    for end in range(0, len(WHOLE), 61):
        answer = client.post("/array", content=WHOLE[:end], headers={"Content-Type": MEDIA_TYPE})
        assert answer.status_code == 400


def test_without_pyarrow_json_goes_on_working(bento: Path, endpoints: Endpoints, tmp_path: Path) -> None:
    replica = launch_replica(
        Path(sys.executable),
        bento,
        tmp_path / "r.sock",
        log=tmp_path / "replica.log",
        scratch=tmp_path / "scratch",
        envs={"WITHOUT_PYARROW": "1"},
    )
    try:
        replica.wait_ready(60)
        transport = httpx.HTTPTransport(uds=str(replica.socket_path))
        with httpx.Client(transport=transport, base_url="http://replica", timeout=30) as client:
            answer = client.post("/array", content=WHOLE, headers={"Content-Type": MEDIA_TYPE})
            assert answer.status_code == 415
            assert "pyarrow is not installed in its environment; send JSON" in said(answer)
            assert set(
                client.get("/docs.json").json()["paths"]["/array"]["post"]["requestBody"]["content"]
            ) == {"application/json"}
            # A schema of the registry does not know what is installed where the Bento runs.
            known = Endpoints("http://replica", schema=endpoints.schema, client=client)
            assert known.takes_arrow("array")
            assert_same(known.call("array", ROWS).value, ROWS)
            assert not known.takes_arrow("array")
    finally:
        replica.stop()


def test_both_forms_and_the_types_are_documented(client: httpx.Client) -> None:
    post = client.get("/docs.json").json()["paths"]["/scale"]["post"]
    taken, given = post["requestBody"]["content"], post["responses"]["200"]["content"]
    assert set(taken) == set(given) == {"application/json", MEDIA_TYPE}
    rows = taken["application/json"]["schema"]["properties"]["rows"]
    assert rows["x-descriptor"] == describe(ROWS)
    assert rows["items"] == {
        "type": "array",
        "items": {"type": "number", "nullable": True},
        "minItems": 2,
        "maxItems": 2,
    }
    schema = {route["name"]: route for route in client.get("/schema.json").json()["routes"]}
    assert schema["scale"]["input"]["properties"]["rows"]["arrow"]
    assert schema["countdown"]["output"]["stream"] == "lines"
