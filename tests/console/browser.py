"""A headless Chromium with one page in it, driven over its DevTools protocol.

Every address but the loopback one is unreachable for it, and whatever the page asks for is kept in `asked`.
"""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

START_LIMIT_S = 30.0
WAIT_LIMIT_S = 10.0
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


class Page:
    """The page. `asked` has the addresses that it has requested, `complaints` the errors on its console."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.asked: list[str] = []
        self.complaints: list[str] = []

    async def listen(self) -> None:
        """Takes in what the browser says, until it ends."""
        async for message in self._socket:
            told = message.json()
            if answer := self._answers.pop(told.get("id"), None):
                answer.set_result(told)
            elif told["method"] == "Network.requestWillBeSent":
                self.asked.append(told["params"]["request"]["url"])
            elif told["method"] == "Runtime.exceptionThrown":
                self.complaints.append(told["params"]["exceptionDetails"]["exception"]["description"])

    async def call(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol; returns its result."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        told = await asyncio.wait_for(answer, WAIT_LIMIT_S)
        assert "error" not in told, told
        return told["result"]

    async def open(self, url: str, *, width: int = 1200, height: int = 900, scheme: str = "light") -> None:
        """Goes to an address, in a window of this size."""
        for domain in ("Page", "Network", "Runtime"):
            await self.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await self.call("Page.navigate", url=url)

    async def run(self, expression: str) -> Any:
        """The JSON value of a JavaScript expression."""
        told = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def wait(self, expression: str) -> None:
        """Waits until a JavaScript expression is true."""
        loop = asyncio.get_running_loop()
        late = loop.time() + WAIT_LIMIT_S
        while loop.time() < late:
            if await self.run(expression):
                return
            await asyncio.sleep(0.05)
        pytest.fail(f"never true: {expression}\nthe page shows:\n{await self.run('document.body.innerText')}")


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Page]:
    """Starts the browser with an empty profile in this folder; skips the test where there is none."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    process = await asyncio.create_subprocess_exec(
        program, *_FLAGS, f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port = await _port(process, profile / "DevToolsActivePort")
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/json/list") as answer,
            session.ws_connect(
                next(each["webSocketDebuggerUrl"] for each in await answer.json() if each["type"] == "page"),
                max_msg_size=0,
            ) as socket,
            asyncio.TaskGroup() as group,
        ):
            page = Page(socket)
            listening = group.create_task(page.listen())
            try:
                yield page
            finally:
                await socket.close()
                await listening
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _port(process: asyncio.subprocess.Process, file: Path) -> int:
    """The port that the browser tells once it listens."""
    async with asyncio.timeout(START_LIMIT_S):
        while True:
            assert process.returncode is None, f"Chromium ended at once with {process.returncode}"
            if words := _words(file):
                return int(words[0])
            await asyncio.sleep(0.05)


def _words(file: Path) -> list[str]:
    return file.read_text().split() if file.is_file() else []
