"""The browser's types are those of the models."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LABEXTENSION = Path(__file__).parents[2] / "labextension"


@pytest.fixture(autouse=True)
def jp_server_cleanup():
    """No Jupyter server here."""


def test_the_types_of_the_browser_are_those_of_the_models():
    if shutil.which("node") is None or not (LABEXTENSION / "node_modules" / "prettier").exists():
        pytest.skip("prettier is not installed (cd labextension; jlpm install)")
    script = LABEXTENSION / "generate_payloads.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (
        f"python {script.relative_to(LABEXTENSION.parent)} writes them\n{done.stderr}"
    )


def test_each_field_of_a_deployment_is_read():
    from bento_jupyter.views import DeploymentView

    text = (LABEXTENSION / "src" / "payloads.ts").read_text(encoding="utf-8")
    found = re.search(r"object<IDeployment>\(\{(.*?)\}\)", text, re.DOTALL)
    assert found is not None
    assert set(re.findall(r"^\s*(\w+):", found.group(1), re.MULTILINE)) == {*DeploymentView.model_fields}
