"""Inputs that are easily lost in the call form: None, secrets, dates, rules, what was typed; in a kernel."""

from __future__ import annotations

import pytest
from kernels import Kernel

FUNCTIONS = """
import datetime, decimal, pandas as pd
from typing import Annotated, Literal
from pydantic import Field
def nothing(a: int | None = 3, tone: Literal["kind", "curt"] | None = "kind", name: str | None = "x") -> list:
    return [a, tone, name]
def days(day: datetime.date, price: decimal.Decimal, seen: set[int], data: bytes = b"x") -> list:
    return [str(day), str(price), len(data), sorted(seen)]
def twice(s: pd.Series) -> pd.Series:
    return s * 2
nothings = bj.deploy(nothing, sample={}, name="nothing", mode="on-demand")
sample = {"day": datetime.date(2026, 1, 31), "price": decimal.Decimal("1.50"), "seen": {1}}
bj.deploy(days, sample=sample, name="days", mode="on-demand")
bj.deploy(twice, sample=pd.Series([1.0, 2.0], index=["p", "q"]), name="twice", mode="on-demand")
"""
SERVICE = """%%bento_service locked --sample {"limits": {"n": 3}} --no-prove
from typing import Annotated
import bentoml
from pydantic import BaseModel, Field, SecretStr

class Login(BaseModel):
    key: SecretStr
    times: int = Field(1, ge=1)

@bentoml.service
class Locked:
    @bentoml.api
    def unlock(self, key: SecretStr) -> int:
        return len(key.get_secret_value())

    @bentoml.api
    def nested(self, login: Login) -> int:
        return len(login.key.get_secret_value())

    @bentoml.api
    def limits(self, n: Annotated[int, Field(ge=1, le=9)]) -> int:
        return n
"""


@pytest.fixture(scope="module", autouse=True)
def form(kernel: Kernel) -> None:
    kernel.run(FUNCTIONS)
    kernel.run(SERVICE)
    kernel.run("bj.deploy('locked', name='locked', mode='on-demand')")
    kernel.run(
        "def settled():\n"
        "    form.worker.wait(120)\n"
        "def choose(name, endpoint):\n"
        "    form.deployment.value = name\n"
        "    settled()\n"
        "    form.endpoint.value = endpoint\n"
        "    settled()\n"
        "def works():\n"
        "    form.submit.click()\n"
        "    settled()\n"
        "    assert form.said == '', form.said\n"
        "form = bj.forms.call()"
    )


def test_none_is_sent_where_it_is_not_the_default(kernel: Kernel) -> None:
    kernel.run("choose('nothing', 'nothing')\nform.fields['a'].widget.value = 'null'")
    kernel.run("form.fields['tone'].widget.value = 0\nform.fields['name'].flag.value = True\nworks()")
    assert kernel.run("print(form.answer)").strip() == "[None, 'kind', None]"
    line = kernel.run("print(form.line)").strip()
    assert line == "%bento_call nothing nothing a=None, name=None"
    kernel.run(
        "tone = form.fields['tone'].widget\ntone.value = [s for s, _ in tone.options].index('none')\nworks()"
    )
    line = kernel.run("print(form.line)").strip()
    assert line == "%bento_call nothing nothing a=None, tone=None, name=None"
    assert kernel.run(line) == "[None, None, None]"


def test_looking_again_forgets_nothing(kernel: Kernel) -> None:
    kernel.run("form.fields['a'].widget.value = '7'\nlater = 1\nform.again.click()\nsettled()")
    assert kernel.run("print(form.fields['a'].value, form.answer)").strip() == "7 [None, None, None]"


def test_code_of_dates_decimals_and_tables_can_be_run(kernel: Kernel) -> None:
    kernel.run("choose('days', 'days')\nworks()\ndel datetime, decimal, pd")
    assert kernel.run("print(form.answer)").strip() == "['2026-01-31', '1.50', 1, [1]]"
    assert kernel.run(kernel.run("print(form.line)").strip()).startswith("['2026-01-31'")
    kernel.run("form.fields['data'].text.value = '\"YWJj\"'\nform.fields['seen'].text.value = '[2, 1]'")
    said = kernel.run("print(form.line)").strip()
    assert said.endswith("seen={1, 2}, data=b'abc'")
    assert kernel.run(said) == "['2026-01-31', '1.50', 3, [1, 2]]"
    kernel.run("choose('twice', 'twice')\nworks()")
    for code in (kernel.run("print(form.line)").strip(), kernel.run("print(form.call)").strip()):
        assert kernel.run(f"out = {code}\nprint(out.to_dict())").strip() == "{'p': 2.0, 'q': 4.0}"


def test_a_secret_is_in_no_line_snippet_record_nor_widget(kernel: Kernel) -> None:
    kernel.run("choose('locked', 'unlock')")
    assert (
        kernel.run("print(form.fields['key'].problem, form.submit.disabled)").strip() == "it is needed True"
    )
    kernel.run("form.fields['key'].widget.set_state({'value': 's3' + 'cret'})\nworks()")
    assert kernel.run("print(form.answer, form.line)").strip() == "6 %bento_call locked unlock key=..."
    kernel.run("form.language.value = 'curl'\nsettled()")
    kernel.run(
        "from ipywidgets.widgets.widget import _instances\n"
        "shown = repr([each.get_state() for each in _instances.values()] + form.rows())\n"
        "assert 's3' + 'cret' not in shown\n"
        "assert 'curl' in shown\n"
        "form.language.value = ''\n"
        "key = form.fields['key']\n"
        "form.close()\n"
        "assert key.value is None\n"
        "form = bj.forms.call()"
    )


def test_what_has_a_secret_in_it_is_taken_from_the_notebook(kernel: Kernel) -> None:
    kernel.run("choose('locked', 'nested')\nlogin = form.fields['login']")
    assert kernel.run("print(login.text.value == '', login.text.layout.display)").strip() == "True none"
    assert "os.environ" in kernel.run("print(login.remark)")
    kernel.run("password = 's3' + 'cret'\nlogin.expression.value = '{\"key\": password, \"times\": 0}'")
    kernel.run("form.submit.click()\nsettled()")
    assert kernel.run("print(login.problem)").strip() == (
        "login.times: Input should be greater than or equal to 1"
    )
    kernel.run("login.expression.value = '{\"key\": password}'\nworks()")
    assert kernel.run("print(form.answer, form.line)").strip() == (
        '6 %bento_call locked nested login={"key": password}'
    )
    kernel.run("form.language.value = 'curl'\nsettled()")
    assert "not written out" in kernel.run("print(form.code.value)")
    kernel.run(
        "assert password not in repr([each.get_state() for each in _instances.values()] + form.rows())"
    )
    kernel.run("form.language.value = ''\nsettled()")


def test_what_the_schema_does_not_allow_is_said_at_the_field_and_not_sent(kernel: Kernel) -> None:
    kernel.run("choose('locked', 'limits')\nworks()\nform.fields['n'].widget.value = '0'")
    said = kernel.run("print(form.fields['n'].problem, form.submit.disabled)").strip()
    assert said == "Input should be greater than or equal to 1 True"
    kernel.run("form.submit.click()\nsettled()")
    assert kernel.run("print(form.said)").strip() == "mend the fields that are marked"
    kernel.run("form.fields['n'].widget.value = '9'\nworks()")
    assert kernel.run("print(form.answer)").strip() == "9"


def test_without_a_namespace_a_form_is_about_the_notebook(kernel: Kernel) -> None:
    kernel.run("form.variable.value = 'kept'\nform.store.click()\nsettled()")
    assert kernel.run("print(kept)").strip() == "9"
    assert kernel.run(
        "built = bj.forms.build()\nprint('clf' in [n for n in built.objects._boxes])"
    ).strip() == ("True")
    kernel.run("built.close()")


def test_code_that_leaves_the_kernel_is_told_and_the_form_goes_on(kernel: Kernel) -> None:
    kernel.run("def stop(): raise KeyboardInterrupt\nchoose('twice', 'twice')")
    kernel.run("form.fields['s'].expression.value = 'stop()'\nform.submit.click()\nsettled()")
    assert kernel.run("print(form.busy, 'KeyboardInterrupt' in form.said)").strip() == "False True"
    kernel.run("form.fields['s'].expression.value = ''\nworks()")
    assert kernel.run("print(form.answer.tolist())").strip() == "[2.0, 4.0]"
    kernel.run("form.close()")
