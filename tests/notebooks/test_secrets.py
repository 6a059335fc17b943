"""A secret of the cloud on its way from a shell line in the notebook to the service."""

from __future__ import annotations

import hashlib

from kernels import Kernel

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
