"""`python -m bench.console`: how smoothly the console's live view runs under load, and whether its memory stays flat.

A balancer with two embedded web servers on loopback, a steady load through it, and the page in headless Chromium. Frames are
those that the page gets from requestAnimationFrame; the heap is measured after a garbage collection, so that what is left is
what is kept. Without a GPU, and on cores that the load, the balancer and the browser share, this is the worst case.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from time import monotonic

import click
from playwright.async_api import CDPSession, Page, async_playwright

from bench.processes import free_ports
from lb.app import App
from lb.compute.api import server_routes
from lb.compute.servers import EmbeddedServers, ServerSpec
from lb.configfile.reader import read_config
from lb.settings import Settings

_EXIT_MISSED = 1
_CONNECTIONS = 10
_WARM_UP_S = 5
_CONFIG = """
load_balancers: {{web: {{listeners: [{{port: {port}, forward: web-servers, rules: [
  {{priority: 10, conditions: {{path-pattern: /old}}, action: {{redirect: {{status_code: 301, path: /}}}}}}]}}]}}}}
target_groups:
  web-servers:
    health_check: {{path: /health.php, interval: 5, timeout: 2, healthy_threshold: 2}}
    targets: ["127.0.0.1:{first}", "127.0.0.1:{second}"]
"""
# One in 20 is a redirect, one in 20 an error: as marks between the bands.
_PATHS = ("/old", "/no-such-page", *["/"] * 18)
_COUNT_FRAMES = """() => {
    window.frames_at = [];
    const count = now => { frames_at.push(now); counting = requestAnimationFrame(count); };
    window.counting = requestAnimationFrame(count);
}"""
# What is counted on would be found in the heap: 28 KiB a minute.
_STOP_COUNTING = "() => { cancelAnimationFrame(counting); return frames_at.splice(0); }"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rate", type=click.IntRange(1, 2000), default=500, show_default=True, help="Requests per second.")
@click.option("--frames-for", type=click.IntRange(1, 120), default=20, show_default=True, help="Seconds of frames.")
@click.option("--seconds", type=click.IntRange(10, 3600), default=60, show_default=True, help="Seconds of memory.")
@click.option("--still", is_flag=True, help="Send nothing: what the machine can do at most.")
def main(rate: int, frames_for: int, seconds: int, *, still: bool) -> None:
    """Measure the console's live view.

    \b
    Exit codes: 0 at least 50 frames/s and a flat heap, 1 not.
    """
    program = shutil.which("chromium")
    if program is None:
        raise click.ClickException("needs Chromium (Debian: apt-get install chromium)")
    frames, heap = asyncio.run(_measure(program, 0 if still else rate, frames_for, seconds))
    gaps = [later - earlier for earlier, later in pairwise(frames)]
    per_s = 1000 * len(gaps) / (frames[-1] - frames[0])
    cuts = quantiles(gaps, n=100)
    click.echo(f"frames/s        {per_s:.1f} over {frames_for} s at {0 if still else rate} requests/s")
    click.echo(f"ms per frame    p50 {cuts[49]:.1f}  p95 {cuts[94]:.1f}  p99 {cuts[98]:.1f}  longest {max(gaps):.1f}")
    click.echo(f"heap, KiB       {' '.join(str(round(each / 1024)) for each in heap)}")
    half = len(heap) // 2
    growth = sum(heap[half:]) / len(heap[half:]) / (sum(heap[:half]) / half) - 1
    click.echo(f"heap growth     {growth:+.1%} from the first to the second half of {seconds} s")
    sys.exit(0 if per_s >= 50 and growth < 0.05 else _EXIT_MISSED)


async def _measure(program: str, rate: int, frames_for: int, seconds: int) -> tuple[list[float], list[int]]:
    """The instants of the frames in ms; bytes of the heap, ten times over `seconds`."""
    async with AsyncExitStack() as stack:
        url, port = await stack.enter_async_context(_balancer())
        playwright = await stack.enter_async_context(async_playwright())
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = await playwright.chromium.launch(executable_path=program, args=flags)
        stack.push_async_callback(browser.close)
        page = await browser.new_page(viewport={"width": 1400, "height": 900})
        await page.goto(f"{url}#/live")
        await page.locator(".view-live .figures").wait_for()
        session = await page.context.new_cdp_session(page)
        async with asyncio.TaskGroup() as group:
            over = asyncio.Event()
            if rate:
                for _ in range(_CONNECTIONS):
                    group.create_task(_send(port, rate / _CONNECTIONS, over))
            try:
                return await _frames(page, frames_for), await _heap(session, seconds)
            finally:
                over.set()


@asynccontextmanager
async def _balancer() -> AsyncIterator[tuple[str, int]]:
    """A running balancer: the address of its console and the port of its listener."""
    api_port, port, first, second = free_ports(4)
    servers = EmbeddedServers([ServerSpec(1, first, "127.0.0.1"), ServerSpec(2, second, "127.0.0.1")])
    with tempfile.TemporaryDirectory() as data:
        app = App(Settings(api_port=api_port, data_dir=Path(data)))
        try:
            await servers.start_all()
            text = _CONFIG.format(port=port, first=first, second=second)
            await app.start(read_config(text, "lb.yaml"), server_routes(servers))
            yield f"http://127.0.0.1:{api_port}/", port
        finally:
            await app.close()
            await servers.close()


async def _send(port: int, rate: float, over: asyncio.Event) -> None:
    """Requests on one connection, at their rate."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begun, sent = monotonic(), 0
    while not over.is_set():
        await asyncio.sleep(max(0.0, begun + sent / rate - monotonic()))
        writer.write(f"GET {_PATHS[sent % len(_PATHS)]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        sent += 1
    writer.close()


async def _frames(page: Page, seconds: int) -> list[float]:
    await asyncio.sleep(_WARM_UP_S)
    await page.evaluate(_COUNT_FRAMES)
    await asyncio.sleep(seconds)
    frames: list[float] = await page.evaluate(_STOP_COUNTING)
    return frames


async def _heap(session: CDPSession, seconds: int) -> list[int]:
    await session.send("Performance.enable")
    sizes = []
    for _ in range(10):
        await asyncio.sleep(seconds / 10)
        await session.send("HeapProfiler.collectGarbage")
        metrics = (await session.send("Performance.getMetrics"))["metrics"]
        sizes.append(int(next(each["value"] for each in metrics if each["name"] == "JSHeapUsedSize")))
    return sizes


if __name__ == "__main__":
    main()
