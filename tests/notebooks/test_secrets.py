"""A secret of the cloud on its way from a shell line in the notebook to the service."""

from __future__ import annotations

import hashlib
from pathlib import Path

import nbformat
from kernels import FITTED, Kernel, make_workplace

from bento_jupyter.client import embedded

VALUE = "v4lue-of-the-key"


def test_a_deployment_of_the_notebook_is_given_a_secret(kernel: Kernel) -> None:
    kernel.run(
        "import hashlib, os\nmark = '!'\n"
        "def key_digest(text: str) -> str:\n"
        "    return hashlib.sha256(os.environ.get('API_KEY', '').encode()).hexdigest() + text"
    )
    error = kernel.fails("%bento_deploy key_digest --name digest --sample mark --secret keys")
    assert "keys" in error.value
    kernel.run("bj.cloud.login()")
    assert "created" in kernel.run(f"!python -m bentoml secret create keys API_KEY={VALUE}")
    said = kernel.run("%bento_deploy key_digest --name digest --sample mark --secret keys")
    assert VALUE not in said
    served = kernel.run("print(bj.deployment('digest').call('key_digest', '!'))")
    assert served.strip() == hashlib.sha256(VALUE.encode()).hexdigest() + "!"
    kernel.run("assert bj.deployment('digest').status().envs == []")
    refused = kernel.run("!python -m bentoml secret delete keys")
    assert "digest" in refused


def test_no_token_and_no_secret_is_in_what_a_session_leaves(tmp_path: Path) -> None:
    place = make_workplace(tmp_path)
    secret = "canary-of-a-secret-5c1f"
    kernel = place.kernel(tmp_path, IPYTHONDIR=str(tmp_path / "ipython"), SECRET=secret)
    try:
        kernel.run(FITTED)
        kernel.run("import os\nbj.cloud.login()")
        kernel.run("!python -m bentoml secret create keys API_KEY=$SECRET")
        kernel.run(
            "dep = bj.deploy(clf, name='kept', sample=X[:5], secrets=['keys'], protected=True, "
            "envs={'PASSWORD': os.environ['SECRET']})\ndep"
        )
        for line in (
            "%bento_call kept predict X[:3]",
            "%bento_status kept",
            "%bento_status kept --revisions",
            "%bento_deploy dep.bento --name kept --max 2 --dry-run",
            "%bento_update kept --max 2",
            "%bento_logs kept",
            "%bento_snippet kept curl",
            "%bento_list clouds",
            "%bento_login --list",
            "%bento_export kept project",
            "%bento_form deploy kept",
            "%bento_form call kept",
        ):
            kernel.run(line)
        kernel.fails("%bento_call kept predict 'wrong'")
        kernel.run("%history -g -f everything.txt")
        said = nbformat.v4.new_notebook(metadata={"outputs": repr(kernel.outputs)})
        nbformat.write(said, tmp_path / "outputs.ipynb")
        token = place.home.token_file.read_text(encoding="utf-8").strip()
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
        embedded.stop(place.home)
    holders = {
        word: {
            str(path.relative_to(tmp_path))
            for path in tmp_path.rglob("*")
            if path.is_file() and not path.is_symlink() and "environments" not in path.parts
            if word.encode() in path.read_bytes()
        }
        for word in (secret, token)
    }
    own = place.home.root.relative_to(tmp_path)
    assert (tmp_path / "ipython").is_dir()
    # The token is in its file, and where `cloud login` put it for the client; values in the database only.
    assert holders[token] == {str(own / "token"), "bentoml/.yatai.yaml"}
    assert {path for path in holders[secret] if not path.startswith(str(own / "cloud" / "cloud.db"))} == set()
