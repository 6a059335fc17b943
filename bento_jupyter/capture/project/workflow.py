"""The GitHub Actions workflow of an exported project: plain `bentoml` builds, proves and deploys it."""

from __future__ import annotations

from string import Template
from typing import Any

__all__ = ["WORKFLOW", "workflow"]

#: Where GitHub looks for it.
WORKFLOW = ".github/workflows/deploy.yml"

_HEAD = Template("""\
# Builds the Bento of this project and deploys it to BentoCloud$proven, at each push to main.
# Needs the secret BENTO_CLOUD_API_KEY, an API token of BentoCloud, and the variable BENTO_CLOUD_API_ENDPOINT,
# e.g. https://my-organization.cloud.bentoml.com (Settings > Secrets and variables > Actions).
name: Deploy $name

on:
  push:
    branches: [main]
  workflow_dispatch:

permissions:
  contents: read

# One deployment at a time, in the order of the pushes.
concurrency:
  group: deploy-$name

jobs:
  deploy:
    runs-on: ubuntu-latest
    timeout-minutes: 60
    env:
      BENTO_CLOUD_API_ENDPOINT: $${{ vars.BENTO_CLOUD_API_ENDPOINT }}
      BENTOML_DO_NOT_TRACK: "True"
    steps:
      - uses: actions/checkout@v4

      - uses: actions/setup-python@v5
        with:
          python-version: "$python"

      - name: Install
        run: pip install "bentoml==$bentoml"$requirements

      - name: Build
        run: |
          tag=$$(bentoml build --output tag | sed -n 's/^__tag__://p')
          test -n "$$tag"
          echo "BENTO=$$tag" >> "$$GITHUB_ENV"
""")
_PROVE = """
      - name: Prove
        run: |
          bentoml serve "$BENTO" --port 3000 > serve.log 2>&1 &
          trap 'kill %1; cat serve.log' EXIT
          curl --retry 60 --retry-delay 1 --retry-all-errors --silent --show-error --fail \\
            --output /dev/null http://127.0.0.1:3000/readyz
          python test_parity.py http://127.0.0.1:3000
"""
_DEPLOY = Template("""
      - name: Deploy
        env:
          BENTO_CLOUD_API_KEY: $${{ secrets.BENTO_CLOUD_API_KEY }}
        run: |
          if bentoml deployment get $deployment > /dev/null 2>&1; then
            bentoml push "$$BENTO"
            bentoml deployment update $deployment --bento "$$BENTO"
          else
            bentoml deploy "$$BENTO" --name $deployment
          fi
""")


def workflow(info: dict[str, Any], *, proven: bool, pinned: bool) -> str:
    """The text of the workflow.

    Args:
        info: The Bento's `bento.yaml`.
        proven: The project has a `test_parity.py`.
        pinned: The project has a `requirements.txt`.
    """
    python = (info.get("image") or {}).get("python_version") or (info.get("python") or {}).get("version")
    head = _HEAD.substitute(
        name=info["name"],
        python=".".join(str(python or "3.12").split(".")[:2]),
        bentoml=info["bentoml_version"],
        requirements=" -r requirements.txt" if pinned else "",
        proven=" when it answers as the notebook did" if proven else "",
    )
    deployment = str(info["name"]).replace("_", "-")
    return head + (_PROVE if proven else "") + _DEPLOY.substitute(deployment=deployment)
