"""The call form in a real kernel: fields of all kinds, answers in kind, errors, cancel, code."""

from __future__ import annotations

import pytest
from kernels import Kernel

SERVICE = """%%bento_service zoo --sample {"add": {"a": 1, "b": 2}} --no-prove
import asyncio, math, struct, time, wave
from datetime import datetime
from typing import Annotated, Generator, Literal
from pathlib import Path
import bentoml
from bentoml.validators import ContentType
from PIL.Image import Image
from pydantic import BaseModel, Field

Words = Generator[str, None, None]

class Point(BaseModel):
    x: float
    y: int = Field(le=10)

@bentoml.service(traffic={"concurrency": 8})
class Zoo:
    @bentoml.api
    def ping(self) -> str:
        return "pong"

    @bentoml.api
    def place(self, point: Point, /) -> str:
        return f"{point.x} {point.y}"

    @bentoml.api
    def add(self, a: int, b: float = 1.5) -> float:
        if a < 0:
            raise ValueError("negative")
        return a + b

    @bentoml.api
    def greet(self, name: str = "you", tone: Literal["kind", "curt"] = "kind", loud: bool = False) -> str:
        said = f"{'Dear' if tone == 'kind' else 'Hey'} {name}"
        return said.upper() if loud else said

    @bentoml.api
    def late(
        self,
        when: datetime | None = None,
        marks: list[int | None] = [1, None],
        tone: Literal["kind", "curt"] | None = None,
        sure: bool | None = None,
    ) -> list:
        return [str(when), marks, tone, sure]

    @bentoml.api
    def keys(self, options: dict) -> list:
        return sorted(options)

    @bentoml.api
    async def rest(self, seconds: float = 0.0) -> float:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            print("rest was cut short", flush=True)
            raise
        return seconds

    @bentoml.api
    def tell(self, words: int = 3, pause: float = 0.0) -> Words:
        for i in range(words):
            yield f"word{i} "
            time.sleep(pause)

    @bentoml.task
    def train(self, rounds: int = 1, seconds: float = 0.0) -> dict:
        time.sleep(seconds)
        return {"rounds": rounds}

    @bentoml.api
    def turn(self, image: Image) -> Image:
        return image.rotate(90, expand=True)

    @bentoml.api
    def weigh(self, file: Path, factor: int = 1) -> str:
        return f"{file.suffix}: {len(file.read_bytes()) * factor}"

    @bentoml.api
    def beep(self, context: bentoml.Context, hertz: int = 440) -> Annotated[Path, ContentType("audio/wav")]:
        file = Path(context.temp_dir, "beep.wav")
        with wave.open(str(file), "wb") as out:
            out.setnchannels(1); out.setsampwidth(2); out.setframerate(8000)
            sound = (int(9000 * math.sin(i * hertz / 1273)) for i in range(800))
            out.writeframes(b"".join(struct.pack("<h", each) for each in sound))
        return file
"""


@pytest.fixture(scope="module", autouse=True)
def form(kernel: Kernel) -> None:
    kernel.run(SERVICE)
    kernel.run("zoo = bj.deploy('zoo', name='zoo', mode='on-demand')")
    kernel.run(
        "import pandas as pd\n"
        "people = pd.DataFrame({'age': [39, 50], 'fare': [7.25, 71.28], 'zip': ['00501', '10001']})\n"
        "def fares(people: pd.DataFrame) -> pd.DataFrame:\n"
        "    return people.assign(double=people.fare * 2)\n"
        "tables = bj.deploy(fares, sample=people, name='tables', mode='on-demand')\n"
        "iris = bj.deploy(clf, sample=X[:5], name='iris', mode='on-demand')\n"
    )
    kernel.run(
        "import json, time\n"
        "def settled():\n"
        "    form.worker.wait(120)\n"
        "def choose(endpoint, name='zoo'):\n"
        "    if form.deployment.value != name:\n"
        "        form.deployment.value = name\n"
        "        settled()\n"
        "    form.endpoint.value = endpoint\n"
        "    settled()\n"
        "def called():\n"
        "    form.submit.click()\n"
        "    settled()\n"
        "def works():\n"
        "    called()\n"
        "    assert form.said == '', form.said\n"
        "def shown():\n"
        "    return form.output.outputs[0]['data']\n"
    )
    kernel.run("form = bj.forms.call('zoo', namespace=globals())")


def test_the_sample_is_the_example_and_the_line_and_the_call_do_the_same(kernel: Kernel) -> None:
    kernel.run("choose('add')")
    assert kernel.run("print({n: f.value for n, f in form.fields.items()})").strip() == "{'a': 1, 'b': 2}"
    assert kernel.run("print(form.line)").strip() == "%bento_call zoo add a=1, b=2"
    kernel.run("form.fields['a'].widget.value = '40'\nworks()")
    assert kernel.run("print(form.answer)").strip() == "42.0"
    assert kernel.run(kernel.run("print(form.line)").strip()) == "42.0"
    assert kernel.run(kernel.run("print(form.call)").strip()) == "42.0"


def test_a_cold_start_is_told_with_its_phases(kernel: Kernel) -> None:
    kernel.run("zoo.terminate()\nzoo.start(wait=False)\nzoo.wait_until('scaled-to-zero')\nworks()")
    said = kernel.run("print(form.timing.value)")
    for word in ("cold start", "process", "load", "instance"):
        assert word in said


def test_a_wrong_number_is_said_at_its_field_and_cannot_be_sent(kernel: Kernel) -> None:
    kernel.run("form.fields['a'].widget.value = 'many'")
    assert kernel.run("print(form.fields['a'].problem, form.submit.disabled)").strip() == (
        "'many' is text, a whole number is wanted True"
    )
    kernel.run("form.fields['a'].widget.value = '2'")
    assert kernel.run("print(form.fields['a'].problem, form.submit.disabled)").strip() == "False"


def test_what_the_code_raises_is_told_with_a_hint_and_the_form_goes_on(kernel: Kernel) -> None:
    kernel.run("form.fields['a'].widget.value = '-1'\ncalled()")
    assert "500" in kernel.run("print(form.said)")
    assert "bento_logs" in kernel.run("print(form.message.value)")
    kernel.run("form.fields['a'].widget.value = '1'\ncalled()")
    assert kernel.run("print(form.answer, form.said)").strip() == "3.0"


def test_what_is_missing_is_said_at_its_field(kernel: Kernel) -> None:
    kernel.run("form.fields['a'].widget.value = ''\ncalled()")
    assert (
        kernel.run("print(form.fields['a'].problem != '', form.fields['b'].problem == '')").strip()
        == "True True"
    )
    kernel.run("form.fields['a'].widget.value = '1'")


def test_text_choices_and_flags(kernel: Kernel) -> None:
    kernel.run("choose('greet')\nform.fields['name'].value = 'Ann'\nform.fields['tone'].value = 'curt'")
    kernel.run("form.fields['loud'].value = True\nworks()")
    assert kernel.run("print(form.answer, form.line)").strip() == (
        "HEY ANN %bento_call zoo greet name='Ann', tone='curt', loud=True"
    )
    assert "HEY ANN" in kernel.run("print(shown()['text/html'])")


def test_what_is_left_empty_is_what_it_is_by_default(kernel: Kernel) -> None:
    kernel.run("choose('late')\nworks()")
    assert kernel.run("print(form.answer, form.line)").strip() == (
        "['None', [1, None], None, None] %bento_call zoo late marks=[1, None]"
    )
    kernel.run("form.fields['when'].value = '2026-01-01T10:00'\nform.fields['tone'].value = 'curt'")
    kernel.run("form.fields['sure'].value = False\nform.fields['marks'].text.value = '[null]'\nworks()")
    assert kernel.run("print(form.answer)").strip() == "['2026-01-01 10:00:00', [None], 'curt', False]"


def test_json_is_checked_while_it_is_typed(kernel: Kernel) -> None:
    kernel.run("choose('keys')\nform.fields['options'].text.value = '{\"b\": 1'")
    assert "no JSON" in kernel.run("print(form.fields['options'].problem, form.submit.disabled)")
    kernel.run("form.fields['options'].text.value = '{\"b\": 1, \"a\": [2]}'\ncalled()")
    assert kernel.run("print(form.answer, form.said)").strip() == "['a', 'b']"


def test_json_that_would_lose_something_or_never_ends_is_refused(kernel: Kernel) -> None:
    kernel.run('options = form.fields[\'options\']\noptions.text.value = \'{"a": {"b": 1, "b": 2}}\'')
    assert "'b' is there twice" in kernel.run("print(options.problem)")
    kernel.run("options.text.value = '[' * 100_000")
    assert "too deep" in kernel.run("print(options.problem)")
    kernel.run("options.text.value = ''\noptions.expression.value = '__import__(\"sys\").exit()'\ncalled()")
    assert kernel.run("print(options.problem != '', form.busy)").strip() == "True False"
    kernel.run("deep = []\nfor _ in range(100_000): deep = [deep]")
    for value, words in (("deep", "nested too deeply"), ("{'a': print}", "not JSON serializable")):
        kernel.run(f"options.expression.value = {value!r}\ncalled()")
        assert words in kernel.run("print(form.said)")
        assert "CallError" in kernel.fails(f"zoo.call('keys', options={value})").name
    kernel.run("options.expression.value = ''\noptions.text.value = '{\"a\": NaN}'")
    assert kernel.run("print(form.line)").strip() == "%bento_call zoo keys options={'a': float('nan')}"
    assert kernel.run(kernel.run("print(form.line)").strip()) == "['a']"


def test_what_is_too_long_is_sent_and_not_shown_as_code(kernel: Kernel) -> None:
    kernel.run("options.text.value = json.dumps({str(n): n for n in range(100_000)})")
    said = kernel.run("print(repr(form.line), repr(form.call), len(form.code.value) < 2000, form.code.value)")
    assert said.startswith("'' '' True")
    assert "give the data a name" in said
    kernel.run("form.language.value = 'curl'\nsettled()")
    assert kernel.run("print(len(form.code.value) < 4000)").strip() == "True"
    kernel.run("form.language.value = ''\nworks()")
    assert kernel.run("print(len(form.answer))").strip() == "100000"


def test_endpoints_without_inputs_and_with_a_bare_one(kernel: Kernel) -> None:
    kernel.run("choose('ping')\nworks()")
    assert kernel.run("print(form.answer, form.line)").strip() == "pong %bento_call zoo ping"
    kernel.run("choose('place')\nform.fields['input'].text.value = '{\"x\": 2.5, \"y\": 99}'\ncalled()")
    assert "less than or equal to 10" in kernel.run("print(form.fields['input'].problem)")
    kernel.run("form.fields['input'].text.value = '{\"x\": 2.5, \"y\": 9}'\nworks()")
    assert kernel.run("print(form.answer)").strip() == "2.5 9"
    assert kernel.run(kernel.run("print(form.line)").strip()) == "'2.5 9'"


def test_a_table_is_pasted_or_a_frame_of_the_notebook(kernel: Kernel) -> None:
    kernel.run("choose('fares', 'tables')\nfield = form.fields['people']")
    assert "00501" in kernel.run("print(field.text.value)")  # the sample
    kernel.run("field.text.value = 'fare\\tage\\tzip\\n8\\t20\\t02139\\n'\nworks()")
    assert (
        kernel.run("print(form.answer.double.tolist(), form.answer.zip.tolist())").strip()
        == "[16.0] ['02139']"
    )
    assert "<table" in kernel.run("print(shown()['text/html'])")
    line = kernel.run("print(form.line)").strip()
    assert kernel.run(f"out = {line}\nprint(out.double.tolist())").strip() == "[16.0]"
    assert "'people'" in kernel.run("print(field.expression.options)")
    kernel.run("field.expression.value = 'people[:1]'\nworks()")
    assert kernel.run("print(form.answer.double.tolist())").strip() == "[14.5]"
    assert kernel.run("print(form.line)").strip() == "%bento_call tables fares people=people[:1]"


def test_a_missing_column_and_a_wrong_cell_are_said_at_the_field(kernel: Kernel) -> None:
    kernel.run("field.expression.value = ''\nfield.text.value = 'age,zip\\n1,2'")
    assert "fare" in kernel.run("print(field.problem)")
    kernel.run("field.text.value = 'age,fare,zip\\nold,1,2'")
    assert "age" in kernel.run("print(field.problem)")
    assert kernel.run("print(form.submit.disabled)").strip() == "True"
    kernel.run("field.text.value = ''\nfield.expression.value = 'people[[\"age\"]]'\ncalled()")
    assert "fare" in kernel.run("print(field.problem)")
    kernel.run("field.expression.value = 'peopel'\ncalled()")
    assert "NameError" in kernel.run("print(field.problem)")
    kernel.run("field.expression.value = 'people'\ncalled()")
    assert kernel.run("print(len(form.answer), form.said)").strip() == "2"


def test_an_array_as_rows_or_by_name(kernel: Kernel) -> None:
    kernel.run("choose('predict', 'iris')\n(field,) = form.fields.values()")
    kernel.run("field.text.value = '5.1\\t3.5\\t1.4\\t0.2\\n6.3\\t3.3\\t6.0\\t2.5'\nworks()")
    assert kernel.run("print(form.answer)").strip() == "[0 2]"
    kernel.run("field.text.value = '5.1\\t3.5'")
    assert kernel.run("print(field.problem != '', form.submit.disabled)").strip() == "True True"
    kernel.run("field.expression.value = 'X[:3]'\nworks()")
    assert kernel.run("print(form.answer)").strip() == "[0 0 0]"


def test_the_answer_is_stored_as_a_variable(kernel: Kernel) -> None:
    kernel.run("form.variable.value = 'class'")
    assert kernel.run("print(form.store.disabled)").strip() == "True"
    kernel.run("form.variable.value = 'found'\nform.store.click()\nsettled()")
    assert kernel.run("print(found)").strip() == "[0 0 0]"


def test_a_stream_is_shown_as_it_comes(kernel: Kernel) -> None:
    kernel.run(
        "choose('tell')\nseen = []\nform.result.observe(lambda c: seen.append(c['new']), 'value')\n"
        "form.fields['words'].value = 4\nform.fields['pause'].value = 0.3\nworks()"
    )
    assert kernel.run("print(repr(form.answer))").strip() == "'word0 word1 word2 word3 '"
    said = kernel.run("print('\\n'.join(seen))")
    assert ">word0 <" in said
    assert ">word0 word1 word2 word3 <" in said
    assert "instance" in kernel.run("print(form.timing.value)")


@pytest.mark.parametrize(("endpoint", "long"), [("rest", "seconds"), ("tell", "pause"), ("train", "seconds")])
def test_a_call_under_way_is_cancelled_and_the_form_goes_on(kernel: Kernel, endpoint: str, long: str) -> None:
    kernel.run(f"choose('{endpoint}')\nform.fields['{long}'].value = 5.0\nform.submit.click()")
    kernel.run(
        "deadline = time.monotonic() + 30\n"
        "while 'instance works' not in form.timing.value and 'parts so far' not in form.timing.value:\n"
        "    assert time.monotonic() < deadline, form.timing.value\n"
        "assert form.cancel.layout.display == ''\n"
        "form.cancel.click()\nbegun = time.monotonic()\nsettled()\nassert time.monotonic() - begun < 4"
    )
    assert "stopped" in kernel.run("print(form.said)")
    kernel.run(f"form.fields['{long}'].value = 0.0\nworks()")
    assert kernel.run("print(form.answer is not None, form.cancel.layout.display)").split() == [
        "True",
        "none",
    ]


def test_images_and_files_are_sent_as_forms_and_shown(kernel: Kernel) -> None:
    kernel.run(
        "import io\nfrom PIL import Image\npicture = io.BytesIO()\n"
        "Image.new('RGB', (40, 20), 'red').save(picture, 'PNG')\n"
        "def uploaded(name, kind, content):\n"
        "    return {'value': [{'name': name, 'type': kind, 'content': memoryview(content)}]}\n"
        "sent = uploaded('red.png', 'image/png', picture.getvalue())\n"
        "choose('turn')\nform.fields['image'].widget.set_state(sent)\n"
        "works()"
    )
    assert "data:image/png;base64," in kernel.run("print(form.fields['image'].shown.value)")
    assert kernel.run("print(form.answer.size)").strip() == "(20, 40)"
    kernel.run("import base64\nseen = Image.open(io.BytesIO(base64.b64decode(shown()['image/png'])))")
    assert kernel.run("print(seen.size)").strip() == "(20, 40)"
    assert kernel.run("print(form.line)").strip() == "%bento_call zoo turn image='red.png'"
    kernel.run(
        "choose('weigh')\n"
        "form.fields['file'].widget.set_state(uploaded('a.txt', 'text/plain', b'abc'))\n"
        "form.fields['factor'].value = 2\nworks()"
    )
    assert kernel.run("print(form.answer)").strip() == ".txt: 6"


def test_a_sound_can_be_played(kernel: Kernel) -> None:
    kernel.run("choose('beep')\nworks()")
    assert "<audio controls" in kernel.run("print(shown()['text/html'])")


def test_how_to_call_it_from_elsewhere(kernel: Kernel) -> None:
    kernel.run("choose('add')\nform.fields['a'].value = 7\nform.language.value = 'curl'\nsettled()")
    said = kernel.run("print(form.code.value)")
    assert "curl" in said
    assert "&quot;a&quot;: 7" in said
    kernel.run("form.fields['a'].value = 8\nsettled()")
    assert "&quot;a&quot;: 8" in kernel.run("print(form.code.value)")
    kernel.run("form.language.value = ''\nsettled()")


def test_it_goes_on_when_the_cloud_was_stopped_meanwhile(kernel: Kernel) -> None:
    kernel.run("%bento_cloud stop\nworks()")
    assert kernel.run("print(form.answer)").strip() == "10.0"


def test_text_in_terminals_and_an_inert_record_in_the_notebook(kernel: Kernel) -> None:
    said = kernel.run("print(repr(form))")
    assert "%bento_call zoo add a=8, b=2" in said
    before = len(kernel.outputs)
    kernel.run("%bento_form call zoo")
    widget, record = [
        each["data"] for each in kernel.outputs[before:] if "text/plain" in each.get("data", {})
    ]
    assert "application/vnd.jupyter.widget-view+json" in widget
    assert "%bento_call zoo" in record["text/html"]
    assert "<button" not in record["text/html"]
