"""`/metrics`: the whole cloud, for Prometheus. It asks for a token as the API does.

scrape_configs:
  - job_name: bento_jupyter
    authorization: {credentials_file: <BENTO_JUPYTER_HOME>/token}
    static_configs: [{targets: ["127.0.0.1:<port of the control plane>"]}]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ... import __version__
from ...spec import InstanceState
from ...views import DeploymentView
from ..engines import Phase
from ..exposition import CONTENT_TYPE, Family, expose
from .context import Cloud, cloud_of

__all__ = ["routes"]

#: States of instances that are always told, so that a line in a chart goes to zero instead of away.
STATES = (InstanceState.STARTING, InstanceState.READY, InstanceState.DRAINING, InstanceState.FAILED)


async def scrape(request: Request) -> Response:
    """All metrics, as text."""
    cloud = cloud_of(request)
    views = cloud.controller.views()
    families = [*_cloud(cloud, views), *_deployments(cloud, views), *_engine(cloud)]
    return Response(expose(families), media_type=CONTENT_TYPE)


def _cloud(cloud: Cloud, views: Sequence[DeploymentView]) -> list[Family]:
    about = Family("bento_jupyter_info", "gauge", "The cloud's version.")
    about.add(1, version=__version__)
    started = Family("bento_jupyter_start_time_seconds", "gauge", "When the cloud was started.")
    started.add(cloud.started_at.timestamp())
    deployments = Family("bento_jupyter_deployments", "gauge", "Deployments, by status.")
    for status, count in sorted(Counter(view.status.value for view in views).items()):
        deployments.add(count, status=status)
    return [about, started, deployments]


def _deployments(cloud: Cloud, views: Sequence[DeploymentView]) -> list[Family]:
    requests = Family("bento_jupyter_requests_total", "counter", "Requests answered.")
    errors = Family("bento_jupyter_request_errors_total", "counter", "Requests answered with 5xx.")
    latency = Family(
        "bento_jupyter_request_duration_seconds", "histogram", "From admission to the answer's end."
    )
    in_flight = Family("bento_jupyter_requests_in_flight", "gauge", "Requests being worked on.")
    queued = Family("bento_jupyter_requests_queued", "gauge", "Requests that wait for an instance.")
    instances = Family("bento_jupyter_instances", "gauge", "Instances, by state.")
    wanted = Family("bento_jupyter_instances_wanted", "gauge", "Instances that there should be.")
    healthy = Family(
        "bento_jupyter_deployment_healthy", "gauge", "1 when a request sent now would be answered."
    )
    cold_starts = Family(
        "bento_jupyter_cold_start_seconds", "histogram", "From the order to a ready instance."
    )
    for view in views:
        totals = cloud.controller.totals(view.name)
        label = {"deployment": view.name}
        requests.add(totals.requests, **label)
        errors.add(totals.errors, **label)
        latency.add_histogram(totals.latency, **label)
        in_flight.add(view.in_flight, **label)
        queued.add(view.queued, **label)
        states = Counter(instance.state for instance in view.instances)
        for state in STATES:
            instances.add(states[state], **label, state=state.value)
        wanted.add(view.wanted, **label)
        healthy.add(int(view.healthy), **label)
        cold_starts.add_histogram(totals.cold_starts, **label)
    return [requests, errors, latency, in_flight, queued, instances, wanted, healthy, cold_starts]


def _engine(cloud: Cloud) -> list[Family]:
    engine = cloud.controller.engine
    memory = Family("bento_jupyter_instance_memory_bytes", "gauge", "Memory that an instance uses.")
    cpu = Family("bento_jupyter_instance_cpus", "gauge", "CPUs that an instance has used lately.")
    pending = Family("bento_jupyter_instances_pending", "gauge", "Instances that wait for room on a machine.")
    states = engine.observe()
    pending.add(sum(each.phase is Phase.PENDING for each in states))
    for each in states:
        label = {"deployment": each.deployment, "instance": each.id, "node": each.node}
        if each.memory_bytes is not None:
            memory.add(each.memory_bytes, **label)
        if each.cpu is not None:
            cpu.add(round(each.cpu, 4), **label)
    gpus = Family("bento_jupyter_gpus", "gauge", "GPUs of a machine.")
    free_gpus = Family("bento_jupyter_gpus_free", "gauge", "GPUs that no instance has.")
    for node in engine.capacity():
        gpus.add(node.gpus, node=node.name)
        free_gpus.add(node.free_gpus, node=node.name)
    kept = engine.prepared()
    zygotes = Family("bento_jupyter_zygotes", "gauge", "Processes that are kept warm to fork instances.")
    zygotes.add(len(kept))
    zygote_memory = Family("bento_jupyter_zygote_memory_bytes", "gauge", "Resident memory of a zygote.")
    forks = Family("bento_jupyter_zygote_forks_total", "counter", "Instances that a zygote has forked.")
    for zygote in kept:
        label = {"environment": zygote.environment, "pid": str(zygote.pid)}
        zygote_memory.add(zygote.memory_bytes, **label)
        forks.add(zygote.forks, **label)
    return [memory, cpu, pending, gpus, free_gpus, zygotes, zygote_memory, forks]


routes = [Route("/metrics", scrape, methods=["GET"])]
