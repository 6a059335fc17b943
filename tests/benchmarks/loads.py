"""Load on an HTTP server: requests on some connections, each as soon as the one before is answered.

wrk where there is one, since it costs the least beside what is measured; else a generator on uvloop.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

__all__ = ["SAMPLES", "Load", "cpu_seconds", "press", "quantile"]

#: Samples of what is measured one by one (cold starts): few, unless the figures are asked for alone.
SAMPLES = int(os.environ.get("BENCH_SAMPLES", "7"))

#: So that p50 and p99 come out as they are, in a line that is easy to read.
SCRIPT = """
wrk.method, wrk.body = "{method}", '{body}'
wrk.headers["Content-Type"] = "application/json"
done = function(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.status + summary.errors.timeout
  io.write(string.format("FIGURE %d %d %d %.1f %.1f %.1f\\n", summary.requests, failed, summary.duration,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """What a load met with.

    Attributes:
        requests: Answered.
        failed: Not answered, or not by a 2xx.
        seconds: It took.
        p50: Seconds of the median answer.
        p95: The same for 95 %.
        p99: The same for 99 %.
        cpu: Seconds of processor time of what was watched, per request.
    """

    requests: int
    failed: int
    seconds: float
    p50: float
    p95: float
    p99: float
    cpu: float = 0.0

    @property
    def each(self) -> float:
        """Seconds per request: the inverse of the rate."""
        return self.seconds / self.requests


def quantile(values: Iterable[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of all that it started."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in processes)


def press(url: str, folder: Path, *, connections: int, seconds: int, body: str = "", pid: int = 0) -> Load:
    """Press on a URL.

    Args:
        url: What to ask.
        folder: For a file of wrk's.
        connections: How many ask at a time.
        seconds: For how long.
        body: JSON to POST; "" = GET.
        pid: Process whose time (with that of its children) is taken meanwhile; 0 = none.
    """
    method = "POST" if body else "GET"
    before = cpu_seconds(pid) if pid else 0.0
    if shutil.which("wrk"):
        script = folder / "press.lua"
        script.write_text(SCRIPT.format(method=method, body=body))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url]
    else:
        command = [sys.executable, __file__, url, str(connections), str(seconds), method, body]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"FIGURE (.*)", done.stdout)
    assert found, done.stdout + done.stderr
    cpu = cpu_seconds(pid) - before if pid else 0.0
    requests, failed, micros, *latencies = map(float, found[1].split())
    p50, p95, p99 = (each / 1e6 for each in latencies)
    return Load(int(requests), int(failed), micros / 1e6, p50, p95, p99, cpu / max(requests, 1))


def generate(url: str, connections: int, seconds: float, request: bytes) -> None:
    """What wrk does, in Python."""
    import asyncio

    import uvloop

    took: list[float] = []
    failed = 0
    length = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)

    async def run() -> float:
        nonlocal failed
        loop = asyncio.get_running_loop()
        begun = loop.time()

        class Caller(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.transport, self.data = transport, b""
                self.ask()

            def ask(self) -> None:
                self.asked = time.perf_counter()
                self.transport.write(request)  # type: ignore[attr-defined]

            def data_received(self, data: bytes) -> None:
                nonlocal failed
                self.data += data
                head = self.data.find(b"\r\n\r\n") + 4
                found = length.search(self.data, 0, head)
                if head < 4 or found is None or len(self.data) < head + int(found[1]):
                    return
                took.append(time.perf_counter() - self.asked)
                failed += not self.data.startswith(b"HTTP/1.1 2")
                self.data = b""
                self.ask()

        parts = urlsplit(url)
        made = [await loop.create_connection(Caller, parts.hostname, parts.port) for _ in range(connections)]
        await asyncio.sleep(seconds)
        for transport, _ in made:
            transport.abort()
        return loop.time() - begun

    lasted = uvloop.run(run())
    latencies = " ".join(f"{quantile(took, share) * 1e6:.1f}" for share in (0.5, 0.95, 0.99))
    print(f"FIGURE {len(took)} {failed} {lasted * 1e6:.0f} {latencies}")


if __name__ == "__main__":
    target, many, long, verb, content = sys.argv[1:]
    split = urlsplit(target)
    head = (
        f"{verb} {split.path or '/'} HTTP/1.1\r\nHost: {split.netloc}\r\nContent-Type: application/json\r\n"
    )
    head += f"Content-Length: {len(content)}\r\n" if content else ""
    generate(target, int(many), float(long), f"{head}\r\n{content}".encode())
