"""The WebSockets of the contract (1.7): pods and logs, by the client's own calls."""

from __future__ import annotations

CLIENT = (
    "import base64, itertools, threading\n"
    "from bentoml._internal.configuration.containers import BentoMLContainer as container\n"
    "client = container.rest_api_client.get().v2\n"
    "def tail(pod, container_name, stop):\n"
    "    pieces = client.tail_logs(cluster_name='default', namespace='', pod_name=pod.name,\n"
    "                              container_name=container_name, stop_event=stop)\n"
    "    return (base64.b64decode(piece).decode('utf-8') for piece in pieces)\n"
)


def test_the_image_builder_is_found_and_its_log_read_to_the_end(bentoml, sdk, echo, name, status):
    bentoml("deployment", "create", echo, "-n", name, "--scaling-min", "0", "--no-wait")
    status(name, "scaled-to-zero")
    printed = sdk(
        f"{CLIENT}pod = client.get_deployment_image_builder_pod({name!r})\n"
        "print('STATUS', pod.pod_status.status)\n"
        "print(len(''.join(tail(pod, 'builder', threading.Event()))) > 0)\n"
    )
    assert printed.splitlines()[-2:] == ["STATUS Running", "True"]


def test_pods_are_listed_and_their_logs_followed_with_whole_characters(bentoml, sdk, echo, name, status):
    bentoml("deployment", "create", echo, "-n", name, "--no-wait")
    status(name, "running")
    printed = sdk(
        f"{CLIENT}import bentoml\n"
        f"deployment = bentoml.deployment.get({name!r})\n"
        f"(pod,) = client.list_deployment_pods({name!r})\n"
        "print('PHASE', pod.status.phase, pod.pod_status.status)\n"
        "print(pod.labels['yatai.ai/bento-function-component-type'])\n"
        "word = '\\u00e4\\u20ac\\U0001f600' * 3000\n"
        "deployment.get_client().echo(text=word)\n"
        "stop = threading.Event()\n"
        "for text in tail(pod, 'main', stop):\n"
        "    if word in text:\n"
        "        print('FOUND')\n"
        "        stop.set()\n",
        timeout=120,
    )
    assert printed.splitlines()[-3:] == ["PHASE Running Running", "api-server", "FOUND"]


def test_pods_of_what_is_not_there_are_an_error(sdk, name):
    printed = sdk(
        f"{CLIENT}try:\n    client.list_deployment_pods({name!r})\n"
        "except Exception as error:\n    print(type(error).__name__)\n"
    )
    assert printed.splitlines()[-1] == "NotFound"
