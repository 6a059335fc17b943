"""An exported project leaves the notebook: its workflow's own commands build, prove and deploy it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from kernels import Kernel, Workplace

from bento_jupyter.client import embedded
from bento_jupyter.client.cloud import Cloud


@pytest.fixture(scope="module")
def project(kernel: Kernel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "iris"
    kernel.run("built = bj.build('iris_model', clf, sample=X[:5], prove=False)")
    kernel.run(f"%bento_export built {folder}")
    return folder


@pytest.fixture(scope="module")
def workflow(project: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((project / ".github/workflows/deploy.yml").read_text())
    return parsed


def test_the_workflow_reads_the_token_from_a_secret_for_the_one_step_that_needs_it(
    workflow: dict[str, Any],
) -> None:
    job = workflow["jobs"]["deploy"]
    assert "BENTO_CLOUD_API_KEY" not in job["env"]
    holders = [step["name"] for step in job["steps"] if "BENTO_CLOUD_API_KEY" in step.get("env", {})]
    assert holders == ["Deploy"]
    assert job["steps"][-1]["env"]["BENTO_CLOUD_API_KEY"] == "${{ secrets.BENTO_CLOUD_API_KEY }}"
    assert workflow["permissions"] == {"contents": "read"}


def test_the_workflow_uses_the_python_of_the_notebook(workflow: dict[str, Any]) -> None:
    (setup,) = [
        step for step in workflow["jobs"]["deploy"]["steps"] if "setup-python" in step.get("uses", "")
    ]
    assert setup["with"]["python-version"] == f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the workflow waits with curl")
def test_the_commands_of_the_workflow_build_prove_and_deploy_twice(
    workflow: dict[str, Any], project: Path, kernel: Kernel, workplace: Workplace, tmp_path: Path
) -> None:
    kernel.run("%bento_cloud start")
    state = embedded.find(workplace.home)
    assert state is not None
    handed_on = tmp_path / "github_env"
    handed_on.touch()
    said = {}
    for _ in range(2):  # the second time the deployment is there, and is updated
        for step in workflow["jobs"]["deploy"]["steps"]:
            if "run" not in step or step["name"] == "Install":  # the tests' environment has all of it
                continue
            known = dict(line.split("=", 1) for line in handed_on.read_text().splitlines())
            done = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
                cwd=project,
                env={
                    **workplace.environment,
                    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                    "BENTOML_HOME": str(tmp_path / "bentoml"),
                    "BENTO_CLOUD_API_ENDPOINT": state.endpoint,
                    "BENTO_CLOUD_API_KEY": state.token,
                    "GITHUB_ENV": str(handed_on),
                    **known,
                },
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            said[step["name"]] = done.stdout + done.stderr
            assert done.returncode == 0, f"{step['name']}: {said[step['name']]}"
        assert "cases as in the notebook: " in said["Prove"]
    view = Cloud("test", state.endpoint, state.token, embedded=True).view("iris-model")
    assert view.revision == 2
    assert handed_on.read_text().splitlines()[-1] == f"BENTO={view.bento}"
    kernel.run(
        "assert np.array_equal(bj.deployment('iris-model').call('predict', X[:5]), clf.predict(X[:5]))"
    )
