"""Calls from a real kernel: inputs, streams, tasks, many at a time, timing, snippets, errors, interrupts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kernels import CellError, Kernel, Workplace
from PIL import Image

SERVICE = """%%bento_service zoo --sample {"add": {"a": 1, "b": 2}} --no-prove
import asyncio, time, wave
from typing import Annotated, Generator
from pathlib import Path
import bentoml
from bentoml.validators import ContentType
from PIL.Image import Image

Words = Generator[str, None, None]

@bentoml.service(traffic={"concurrency": 8})
class Zoo:
    @bentoml.api
    def add(self, a: int, b: int = 1) -> int:
        "Add two numbers."
        if a < 0:
            raise ValueError("negative")
        return a + b

    @bentoml.api
    async def rest(self, seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    @bentoml.api
    def tell(self, words: int = 3, fail_at: int = -1, pause: float = 0.0) -> Words:
        for i in range(words):
            if i == fail_at:
                raise ValueError("no more words")
            yield f"word{i} "
            time.sleep(pause)

    @bentoml.task
    def train(self, rounds: int = 1, seconds: float = 0.0) -> dict:
        time.sleep(seconds)
        return {"rounds": rounds}

    @bentoml.api
    def turn(self, image: Image) -> Image:
        return image.rotate(90)

    @bentoml.api
    def louder(self, sound: Annotated[Path, ContentType("audio/wav")]) -> Path:
        with wave.open(str(sound)) as read, wave.open("louder.wav", "wb") as written:
            written.setparams(read.getparams())
            written.writeframes(bytes(2 * level for level in read.readframes(read.getnframes())))
        return Path("louder.wav")

    @bentoml.api
    def weigh(self, file: Path, factor: int = 1) -> int:
        return len(file.read_bytes()) * factor
"""

IMAGE_BYTES = 12


@pytest.fixture(scope="module", autouse=True)
def deployed(kernel: Kernel) -> None:
    kernel.run(SERVICE)
    kernel.run("zoo = bj.deploy('zoo', name='zoo', mode='online')")


def interrupted(kernel: Kernel, code: str, when: str) -> CellError:
    """Interrupt a cell as soon as an output of it has the words `when`; how it ended."""
    done = threading.Event()

    def hook(message: dict[str, Any]) -> None:
        said = str(message["content"].get("data") or message["content"].get("text", ""))
        if when in said and not done.is_set():
            done.set()
            kernel.manager.interrupt_kernel()

    content = kernel.client.execute_interactive(code, timeout=120, output_hook=hook, allow_stdin=False)[
        "content"
    ]
    assert done.is_set()
    assert content["status"] == "error", content
    return CellError(content["ename"], content["evalue"], content["traceback"])


def test_inputs_are_given_as_in_a_call(kernel: Kernel) -> None:
    kernel.run("pair = {'a': 2, 'b': 3}")
    for inputs in ("2, 3", "2, b=3", "a=2, b=1 + 2", "**pair", "*[2, 3]"):
        assert kernel.run(f"%bento_call zoo add {inputs}") == "5"
    assert kernel.run('%%bento_call zoo add\n{"a": 2, "b": 3}') == "5"
    for line in ("zoo --timeout 30 add 2, 3", "zoo add --timeout=30 2, 3", "--cloud 'embedded' zoo add 2, 3"):
        assert kernel.run(f"%bento_call {line}") == "5"
    assert "my cloud" in kernel.fails("%bento_call zoo --cloud 'my cloud' add 2, 3").value
    for line in ("--errors return zoo add 2", "--parallel 2 --timing zoo add [1, 2]", "--timing zoo train 1"):
        assert "does not apply" in kernel.fails(f"%bento_call {line}").value
    assert kernel.run("three = %bento_call zoo add 2\nprint(three)").strip() == "3"


def test_endpoints_are_methods_with_the_signature_and_words_of_the_schema(kernel: Kernel) -> None:
    assert (
        kernel.run("import inspect; print(inspect.signature(zoo.add))").strip()
        == "(a: int, b: int = 1) -> int"
    )
    assert kernel.run("zoo.add(2, b=5)") == "7"
    assert kernel.run("await zoo.aadd(2)") == "3"
    assert kernel.run("'turn' in dir(zoo)") == "True"
    assert kernel.run("zoo.status().name") == "'zoo'"  # its own names stay what they are
    error = kernel.fails("zoo.nothing")
    assert error.name == "AttributeError"
    assert "no endpoint 'nothing'" in error.value


def test_a_stream_is_shown_as_it_grows_and_ends_as_its_text(kernel: Kernel) -> None:
    kernel.outputs.clear()
    assert kernel.run("%bento_call zoo tell 4, pause=0.2").endswith("'word0 word1 word2 word3 '")
    shown = [each["data"]["text/plain"] for each in kernel.outputs if "data" in each]
    assert "word0 " in shown
    assert kernel.run("list(zoo.stream('tell', 2, pause=0.1))") == "['word0 ', 'word1 ']"


def test_a_generator_that_raises_midway_is_no_end(kernel: Kernel) -> None:
    for call in (
        "%bento_call zoo tell 4, fail_at=2",
        "zoo.tell(4, fail_at=2)",
        "await zoo.atell(4, fail_at=2)",
        "zoo.map('tell', [{'words': 4, 'fail_at': 2}])",
    ):
        error = kernel.fails(call)
        assert error.name == "CallError"
        assert "ValueError: no more words" in error.value


def test_an_image_and_a_file_go_there_and_back(kernel: Kernel) -> None:
    assert kernel.run(
        "import PIL.Image\npicture = PIL.Image.new('RGB', (3, 2), 'red')\nprint(zoo.turn(picture).size)"
    ).strip() in ("(3, 2)", "(2, 3)")
    assert kernel.run("zoo.weigh(b'12345', factor=3)") == "15"


def test_a_sound_goes_there_and_back_and_is_played(kernel: Kernel) -> None:
    kernel.run(
        "import io, pathlib, tempfile, wave\nsound = io.BytesIO()\n"
        "with wave.open(sound, 'wb') as file:\n"
        "    file.setparams((1, 1, 8000, 4, 'NONE', ''))\n"
        "    file.writeframes(bytes([1, 2, 3, 4]))\n"
        "louder = zoo.louder(sound.getvalue())"
    )
    assert kernel.run("wave.open(io.BytesIO(louder)).readframes(4)") == str(bytes([2, 4, 6, 8]))
    kernel.run("path = pathlib.Path(tempfile.mkdtemp(), 'low.wav')\npath.write_bytes(sound.getvalue())")
    assert kernel.run("zoo.louder(path) == louder") == "True"
    kernel.outputs.clear()
    assert "wav, 48 B" in kernel.run("louder")
    assert any(
        "<audio controls" in each["data"].get("text/html", "") for each in kernel.outputs if "data" in each
    )


def test_a_task_is_awaited_by_asynchronous_code(kernel: Kernel) -> None:
    assert "'rounds': 4" in kernel.run("await zoo.atrain(4)")
    kernel.run(
        "import asyncio\n"
        "both = await asyncio.gather(zoo.acall('train', 1, seconds=0.2), zoo.acall('train', 2, seconds=0.2))"
    )
    assert kernel.run("[each['rounds'] for each in both]") == "[1, 2]"
    assert kernel.fails("await zoo.acall('train', 1, seconds=5, timeout=0.2)").name == "WaitTimeoutError"


def test_a_task_is_submitted_looked_at_had_again_and_canceled(kernel: Kernel) -> None:
    assert "'rounds': 4" in kernel.run("task = zoo.submit('train', 4)\ntask.result(timeout=30)")
    assert "completed" in kernel.run("task")
    assert "'rounds': 4" in kernel.run("zoo.task('train', task.retry().id).result(30)")
    kernel.run("long = zoo.submit('train', 1, seconds=20)\nlong.cancel()")
    assert kernel.run("long.status()") == "'canceled'"
    assert kernel.fails("long.result(5)").name == "CallError"
    assert kernel.fails("zoo.submit('add', 1)").name == "CallError"
    error = kernel.fails("zoo.submit('train', 1, seconds=5).result(timeout=0.1)")
    assert error.name == "WaitTimeoutError"


def test_a_task_that_is_not_waited_for_any_more_goes_on(kernel: Kernel) -> None:
    error = interrupted(kernel, "%bento_call zoo train 5, seconds=3", "is worked on")
    assert error.name == "Interrupted"
    found = error.traceback[-1].split(": ", 1)[1].partition(" gets its answer")[0]
    assert "'rounds': 5" in kernel.run(found)


def test_many_calls_keep_their_order(kernel: Kernel) -> None:
    said = kernel.run("zoo.map('add', [(i, i) for i in range(50)]) == [2 * i for i in range(50)]")
    assert said.endswith("True")
    assert kernel.run("zoo.map('add', ({'a': i} for i in range(9)), parallel=2)[-1]").endswith("9")
    error = kernel.fails("zoo.map('add', [(1, 1), (-1, 1), (3, 1)])")
    assert error.name == "CallError"
    assert error.value.startswith("item 1: ")
    said = kernel.run("[type(each).__name__ for each in zoo.map('add', [(1,), (-1,)], errors='return')]")
    assert said.endswith("['int', 'CallError']")
    assert kernel.run("items = [(1, 2), (3, 4)]\n%bento_call --parallel 2 zoo add items").endswith("[3, 7]")


def test_many_calls_that_are_stopped_leave_no_thread(kernel: Kernel) -> None:
    error = interrupted(kernel, "zoo.map('rest', [1.0] * 60, parallel=4)", "at a time")
    assert error.name == "Interrupted"
    assert (
        kernel.run("import threading\n[t.name for t in threading.enumerate() if 'bento' in t.name]") == "[]"
    )
    assert kernel.run("zoo.add(1, 1)") == "2"


def test_a_call_ends_at_its_timeout_and_at_an_interrupt(kernel: Kernel) -> None:
    begun = time.monotonic()
    assert kernel.fails("zoo.rest(30.0, timeout=0.2)").name == "WaitTimeoutError"
    assert kernel.fails("%bento_call --timeout 0.2 zoo rest 30.0").name == "WaitTimeoutError"
    error = interrupted(kernel, "%bento_call zoo rest 30.0", "works on it")
    assert error.name == "Interrupted"
    assert time.monotonic() < begun + 30
    assert kernel.run("zoo.add(1, 1)") == "2"


def test_the_timing_of_a_cold_start_has_its_phases(kernel: Kernel) -> None:
    kernel.run("cold = bj.deploy(zoo.bento, name='cold', mode='on-demand', idle_seconds=1)")
    kernel.run("cold.add(1); timing = cold.last_timing")
    said = kernel.run("timing")
    assert "cold start" in said
    assert "imports" in said
    assert kernel.run("timing.total > timing.cold_start > 0 < timing.upstream") == "True"
    assert kernel.run("abs(sum(timing.parts().values()) - timing.total) < 0.01") == "True"
    assert "Timing" in kernel.run("%bento_call --timing zoo add 1")


def test_a_held_deployment_notices_another_version(kernel: Kernel) -> None:
    first = SERVICE.replace("zoo --", "moving --")
    then = first.replace("b: int = 1) -> int", "b: float = 1) -> list").replace(
        "return a + b", "return [a, b]"
    )
    kernel.run(first)
    kernel.run("moving = bj.deploy('moving', name='moving', mode='online')\nassert moving.add(1, 2) == 3")
    kernel.run(then.replace("async def rest", "async def sleep"))
    kernel.run("bj.deploy('moving', name='moving', mode='online')")
    assert kernel.run("moving.add(1, 2.5)") == "[1, 2.5]"
    assert kernel.run("moving.sleep(0.0)") == "0.0"
    assert "did you mean" not in kernel.fails("moving.call('rest', 0.0)").value
    kernel.run("moving.delete()")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("%bento_call zoo ad 1", "did you mean add?"),
        ("%bento_call zoo add", "what is the input?"),
        ("%bento_call zoo add 1, c=2", "inputs: a, b"),
        ("%bento_call zoo add 'x'", "a: Input should be"),
        ("%bento_call zoo add -1", "%bento_logs"),
        ("%bento_call --tomeout 3 zoo add 1", "--timeout"),
        ("%bento_call", "which deployment?"),
        ("%bento_call nobody add 1", "nobody"),
        ("zoo.call('add')", "needs a"),
        ("zoo.snippet('cobol', 'add')", "curl"),
    ],
)
def test_mistakes_are_told_with_what_to_do(kernel: Kernel, call: str, said: str) -> None:
    assert said in "\n".join(kernel.fails(call).traceback)


def test_a_refusal_carries_the_id_of_its_request(kernel: Kernel) -> None:
    assert "request " in kernel.fails("zoo.add(-1)").traceback[-1]


@pytest.fixture(scope="module")
def protected(kernel: Kernel) -> Iterator[str]:
    kernel.run("safe = bj.deploy(zoo.bento, name='safe', mode='online', protected=True)")
    yield kernel.run("print(safe.cloud.token)").strip()
    kernel.run("safe.delete()")


@pytest.mark.parametrize("kind", ["curl", "python", "httpx", "requests", "javascript"])
@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ("'add', 2, 3", "5"),
        ("'tell', 3", "word0 word1 word2"),
        ("'weigh'", str(IMAGE_BYTES)),
        ("'train', 3", ""),
        ("'turn'", ""),
    ],
)
def test_a_snippet_does_what_it_says(
    kernel: Kernel, workplace: Workplace, protected: str, tmp_path: Path, kind: str, inputs: str, said: str
) -> None:
    Image.new("RGB", (3, 2)).save(tmp_path / "image.png")
    (tmp_path / "file.bin").write_bytes(b"x" * IMAGE_BYTES)
    for dep, token in (("zoo", ""), ("safe", protected)):
        text = kernel.run(f"print({dep}.snippet({kind!r}, {inputs}))")
        assert ("BENTO_TOKEN" in text) == bool(token)
        assert protected not in text
        file = tmp_path / {"curl": "call.sh", "javascript": "call.mjs"}.get(kind, "call.py")
        file.write_text(text)
        program = {"curl": "bash", "javascript": "node"}.get(kind, sys.executable)
        envs = {**os.environ, **({"BENTO_TOKEN": token} if token else {}), "BENTOML_DO_NOT_TRACK": "True"}
        done = subprocess.run(
            [program, file.name],
            cwd=tmp_path,
            env=envs,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        assert said in done.stdout
