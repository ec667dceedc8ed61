"""Pages of a browser that keep what they asked for and what they complained about."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from playwright.async_api import Browser, ConsoleMessage, Page

from lb.app import App
from lb.compute.servers import EmbeddedServers

# What Chromium says of a balancer that is gone or refuses a call: tests make both happen.
_EXPECTED = "Failed to load resource"


WAIT_LIMIT_S = 10.0


async def wait_for(page: Page, expression: str) -> None:
    """Waits until a JavaScript expression is true. (The page's own policy forbids Playwright's wait_for_function.)"""
    deadline = monotonic() + WAIT_LIMIT_S
    while not await page.evaluate(expression):
        assert monotonic() < deadline, f"never true: {expression}\nthe page shows:\n{await page.inner_text('body')}"
        await asyncio.sleep(0.03)


class OpenPage(Protocol):
    """Opens an address in a window of this size; `asked` collects the addresses that the page requests."""

    async def __call__(
        self,
        url: str,
        *,
        width: int = 1200,
        height: int = 900,
        scheme: str = "light",
        locale: str = "en-US",
        asked: list[str] | None = None,
    ) -> Page: ...


@dataclass(frozen=True)
class ConsolePage:
    """The console (`url`) of a running balancer (`app`), whose listener is on `port`, before two web servers."""

    page: Page
    url: str
    port: int
    app: App
    servers: EmbeddedServers


@asynccontextmanager
async def opened(browser: Browser) -> AsyncIterator[OpenPage]:
    """Yields what opens pages; closes them at the end, and fails when one has complained."""
    complaints: list[str] = []
    contexts = []

    async def open_page(
        url: str,
        *,
        width: int = 1200,
        height: int = 900,
        scheme: str = "light",
        locale: str = "en-US",
        asked: list[str] | None = None,
    ) -> Page:
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=locale,
        )
        contexts.append(context)
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: _note(message, complaints))
        if asked is not None:
            page.on("request", lambda request: asked.append(request.url))
        await page.goto(url)
        return page

    try:
        yield open_page
    finally:
        for context in contexts:
            await context.close()
    assert complaints == []


def _note(message: ConsoleMessage, complaints: list[str]) -> None:
    if message.type == "error" and _EXPECTED not in message.text:
        complaints.append(message.text)
