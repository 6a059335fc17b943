"""Changing what is deployed, from a real kernel: dry runs, nothing to do, canaries, going back, own ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from kernels import Kernel

DEPLOY = "%bento_deploy clf --name iris --sample X[:5] --mode on-demand --env LEVEL=info"


@pytest.fixture(scope="module", autouse=True)
def deployed(kernel: Kernel) -> None:
    kernel.run(f"{DEPLOY} --label team=ds --expires 2h")
    kernel.run("dep = bj.deployment('iris')")


def revisions(kernel: Kernel) -> int:
    return int(kernel.run("print(len(dep.revisions()))"))


def test_a_deployment_says_who_made_it_when_it_ends_and_when_it_was_called(kernel: Kernel) -> None:
    kernel.run(
        "import datetime\n"
        "dep.call('predict', X[:2]); view = dep.status()\n"
        "assert view.owner, view\n"
        "left = view.expires_at - datetime.datetime.now(datetime.timezone.utc)\n"
        "assert 7000 < left.total_seconds() < 7201, left\n"
        "assert view.last_request_at is not None"
    )


def test_deploying_the_same_object_again_changes_nothing(kernel: Kernel) -> None:
    before = revisions(kernel)
    said = kernel.run(DEPLOY)
    assert "unchanged" in said
    assert revisions(kernel) == before


def test_a_dry_run_tells_what_would_change_and_changes_nothing(kernel: Kernel) -> None:
    before = revisions(kernel)
    said = kernel.run("%bento_update iris --max 3 --env LEVEL=debug --dry-run")
    assert "scaling.max_replicas" in said
    assert "would update iris" in said
    assert "debug" not in said
    assert revisions(kernel) == before
    assert "nothing would change" in kernel.run("%bento_update iris --dry-run")
    said = kernel.run("%bento_deploy clf --name fresh --sample X[:5] --max 4 --dry-run")
    assert "would create fresh" in said
    assert "max_replicas: 4" in said


def test_every_setting_comes_back_from_the_cloud(kernel: Kernel) -> None:
    kernel.run(
        "%bento_update iris --max 3 --concurrency 5 --idle 30 --scale-up 7 --queue 12 --no-retries "
        "--timeout 9 --cold-start-timeout 44 --strategy Recreate --protected"
    )
    kernel.run(
        "spec = dep.cloud.spec('iris')\n"
        "assert (spec.max, spec.concurrency, spec.idle_seconds, spec.scale_up_seconds) == (3, 5, 30, 7)\n"
        "assert (spec.queue, spec.retries, spec.timeout, spec.cold_start_timeout) == (12, False, 9, 44)\n"
        "assert (spec.strategy, spec.protected, spec.labels['team']) == ('Recreate', True, 'ds'), spec"
    )
    before = revisions(kernel)
    kernel.run("dep.update(max=3, queue=12)")
    assert revisions(kernel) == before
    kernel.run("%bento_update iris --no-protected --strategy RollingUpdate")


def test_a_setting_is_put_back_as_if_nobody_had_said_it(kernel: Kernel) -> None:
    kernel.run("%bento_update iris --timeout 9 --env A=1")
    kernel.run("%bento_update iris --reset timeout --reset env")
    assert kernel.run("s = dep.cloud.spec('iris'); print(s.timeout, s.envs, s.max)").strip() == "None {} 3"
    assert "there is no field 'tiemout'" in str(kernel.fails("%bento_update iris --reset tiemout"))


def test_saying_a_canary_again_changes_what_is_said_only(kernel: Kernel) -> None:
    bento = "dep.bento"
    kernel.run(f"dep.canary({bento}, weight=30, header='X-User').canary({bento}, weight=20)")
    shown = kernel.run("c = dep.cloud.spec('iris').canary; print(c.by, c.key, c.versions['canary'].weight)")
    assert shown.split() == ["header", "X-User", "20.0"]
    kernel.run("dep.remove_canary()")


def test_a_default_of_the_notebook_changes_nothing_that_exists(kernel: Kernel) -> None:
    kernel.run("%config BentoMagics.mode = 'online'")
    kernel.run("%bento_update iris --max 4")
    kernel.run("%config BentoMagics.mode = ''")
    assert kernel.run("print(dep.status().mode.value)").strip() == "on-demand"
    kernel.run("%bento_update iris --max 3")


def test_what_is_terminated_is_not_woken_by_a_change(kernel: Kernel) -> None:
    kernel.run("dep.terminate()")
    assert "%bento_start iris first" in str(kernel.fails("%bento_scale iris --max 5"))
    assert kernel.run("print(dep.status().status.value)").strip() == "terminated"
    kernel.run("dep.start()")


def test_the_mode_is_switched_and_a_rollback_takes_it_back(kernel: Kernel) -> None:
    kernel.run("%bento_scale iris --mode online --min 1 --max 2")
    assert kernel.run("print(dep.status().mode.value, dep.status().ready)").strip() == "online 1"
    listed = kernel.run("%bento_rollback iris")
    assert "(active)" in listed
    assert "min_replicas" in listed
    number = revisions(kernel)
    kernel.run(f"%bento_rollback iris {number - 1}")
    assert kernel.run("print(dep.status().mode.value)").strip() == "on-demand"


def test_a_canary_is_added_promoted_and_removed(kernel: Kernel) -> None:
    kernel.run("other = bj.build('iris', LogisticRegression(C=0.01).fit(X, y), sample=X[:5], prove=False)")
    kernel.run("%bento_canary iris other --weight 30 --header X-User")
    kernel.run(
        "canary = dep.cloud.spec('iris').canary\n"
        "assert (canary.by, canary.key, canary.versions['canary'].weight) == ('header', 'X-User', 30)\n"
        "assert canary.versions['canary'].bento == other.tag\n"
        "assert canary.versions['canary'].envs is None"
    )
    before = revisions(kernel)
    kernel.run("%bento_update iris")
    assert revisions(kernel) == before
    kernel.run("%bento_canary iris --promote")
    kernel.run("assert dep.bento == other.tag and not dep.cloud.spec('iris').canary.versions")
    assert "has no canary" in kernel.fails("%bento_canary iris --promote").value
    kernel.run("%bento_canary iris --remove")


def test_the_file_of_bentocloud_is_taken_and_the_line_wins(kernel: Kernel, tmp_path: Path) -> None:
    service = kernel.run("print(dep.cloud.bento(dep.bento)['service'])").strip()
    file = tmp_path / "iris.yaml"
    file.write_text(
        f"name: from-file\nbento: {kernel.run('print(dep.bento)').strip()}\nenvs: [{{name: A, value: b}}]\n"
        f"services:\n  {service}:\n    scaling: {{min_replicas: 0, max_replicas: 4}}\n"
        "    config_overrides: {traffic: {timeout: 33}}\n",
        encoding="utf-8",
    )
    kernel.run(f"%bento_deploy --config {file} --max 2")
    kernel.run(
        "spec = bj.deployment('from-file').cloud.spec('from-file')\n"
        "assert (spec.mode.value, spec.max, spec.timeout, spec.envs) == ('on-demand', 2, 33, {'A': 'b'})"
    )
    file.write_text("scalling: 1\n", encoding="utf-8")
    assert "'scalling' is not known" in kernel.fails(f"%bento_deploy iris --config {file}").value


def test_a_deployment_ends_by_itself_and_can_be_started_again(kernel: Kernel) -> None:
    kernel.run("%bento_update from-file --expires 2s --no-wait")
    kernel.run("short = bj.deployment('from-file')\nshort.wait_until('terminated', timeout=30)")
    assert "its time is over" in kernel.run("print(short.status().reason)")
    kernel.run("short.start()\nassert short.status().expires_at is None")
    kernel.run("short.update(labels={'bento-jupyter.expires': '2001-01-01T00:00:00Z'})")
    assert kernel.run("print(short.status().status.value)").strip() == "scaled-to-zero"  # long over: no end
    assert "is no time" in kernel.fails("%bento_update from-file --expires soon").value


def test_what_only_the_embedded_cloud_has_is_refused_elsewhere(kernel: Kernel) -> None:
    kernel.run(
        "from bento_jupyter.client.cloud import Cloud\n"
        "far = Cloud('far', dep.cloud.endpoint, dep.cloud.token)"  # known by its wire alone, as BentoCloud is
    )
    before = revisions(kernel)
    for option in ("queue=3", "expires='2h'", "retries=True", "services={'X': {'queue': 2}}"):
        error = kernel.fails(f"bj.deploy(dep.bento, name='iris', cloud=far, {option})")
        assert "only the embedded cloud does" in error.value, option
    assert revisions(kernel) == before


def test_deleting_needs_to_be_meant(kernel: Kernel) -> None:
    error = kernel.fails("%bento_delete from-file")
    assert error.name == "MagicUsageError"
    kernel.run("bj.deployment('from-file')")
    assert "is deleted" in kernel.run("%bento_delete from-file from-file")


def test_an_end_that_came_while_the_cloud_was_down_is_made_up_for(kernel: Kernel) -> None:
    kernel.run(
        "import time\n"
        "from bento_jupyter.client import embedded\n"
        "dep.start()\n"
        "bj.deploy(dep.bento, name='iris', expires='3s', wait=False)\n"
        "at = dep.status().expires_at\n"
        "embedded.stop()\n"
        "time.sleep(max(0, at.timestamp() - time.time()))\n"
        "bj.connect()\n"
        "bj.deployment('iris').wait_until('terminated', timeout=30)"
    )


def test_ending_and_starting_twice_is_no_mistake(kernel: Kernel) -> None:
    kernel.run("dep = bj.deployment('iris')")
    kernel.run("%bento_terminate iris\n%bento_terminate iris\n%bento_start iris\n%bento_start iris")
    kernel.run("%bento_restart iris")
