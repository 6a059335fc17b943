"""The data plane: one process that stands between callers and replicas.

```
__main__.py    the process: `python -m bento_jupyter.cloud.gateway --control FD`
control.py     JSON lines from and to the control plane
server.py      the deployments of this process and their listeners
frontend.py    one caller's connection
exchange.py    one request: queue, replica, retry, answer
route.py       one deployment: who may come in, who waits, what is counted
taskcalls.py   what callers ask of tasks
tasks.py       tasks on their way through the queue
taskstore.py   tasks that are kept
upstream.py    one replica and the connections to it
admission.py   who is next and where to (pure)
heads.py       heads of HTTP/1.1: read, checked, written anew (pure)
bodies.py      bodies of HTTP/1.1: where they end (pure)
responses.py   what the gateway answers by itself
cors.py        which web pages may read that (pure)
```

Heads are parsed (httptools) and written anew, bodies are passed on byte for byte. The control plane is the
only one who tells it anything: docs/architecture.md, "Control plane <-> gateway".
"""
