"""Pages of a browser that keep what they asked for and what they complained about, and waiting for what they show.

What a page shows is only ever waited for: by `expect(locator)` of Playwright, or here by `wait_for`. A read without waiting
is for what cannot change any more.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from playwright.async_api import Browser, ConsoleMessage, Error, Locator, Page

from lb.app import App
from lb.compute.servers import EmbeddedServers

# What Chromium says of a balancer that is gone or refuses a call: tests make both happen.
_EXPECTED = "Failed to load resource"


# Generous, for a loaded machine: a test that passes does not wait for it.
WAIT_LIMIT_S = 30.0
WAIT_LIMIT_MS = WAIT_LIMIT_S * 1000
_QUIET_S = 1.0


async def wait_for(page: Page, expression: str) -> None:
    """Waits until a JavaScript expression, or the promise that it is, is true.

    (The page's own policy forbids Playwright's wait_for_function.) What it throws while the page is still being drawn, or
    is being left, is false.
    """
    deadline = monotonic() + WAIT_LIMIT_S
    while (found := await _value(page, expression)) is not True:
        assert monotonic() < deadline, f"never true, but {found}: {expression}\n{await page.inner_text('body')}"
        await asyncio.sleep(0.03)


async def _value(page: Page, expression: str) -> object:
    try:
        return await page.evaluate(f"Promise.resolve({expression}).then(Boolean)")
    except Error as error:
        return error


async def pass_time(page: Page, ms: int) -> None:
    """Lets time pass on the page's own clock: whatever was due in it has been done, however slow the machine is."""
    await page.evaluate(f"new Promise(done => setTimeout(() => done(0), {ms}))")


async def until_quiet(asked: list[str]) -> None:
    """Waits until a page asks for nothing more: what was under way has ended. Fails when it goes on asking."""
    deadline = monotonic() + WAIT_LIMIT_S
    before = -1
    while before != len(asked):
        assert monotonic() < deadline, f"it goes on asking: {asked[-5:]}"
        before = len(asked)
        await asyncio.sleep(_QUIET_S)


async def remember_texts(page: Page, selector: str) -> None:
    """From now on `texts` of the page has every text that this element shows: for what passes by."""
    await page.evaluate(
        """selector => {
            window.texts = [];
            const seen = () => texts.push(document.querySelector(selector)?.innerText ?? "");
            new MutationObserver(seen).observe(document.body,
                { childList: true, subtree: true, characterData: true, attributes: true });
        }""",
        selector,
    )


async def copied_by(page: Page, button: Locator) -> str:
    """What is in the clipboard after this button was pressed."""
    await page.evaluate("navigator.clipboard.writeText('')")
    await button.click()
    await wait_for(page, "navigator.clipboard.readText().then(text => text !== '')")
    text: str = await page.evaluate("navigator.clipboard.readText()")
    return text


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


async def still_page(open_page: OpenPage) -> Page:
    """An empty page on which no timer ever ends: what goes on, goes on by a click or an answer."""
    page = await open_page("about:blank")
    await page.clock.install(time=0)
    await page.clock.pause_at(1000)
    return page


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
        page.set_default_timeout(WAIT_LIMIT_MS)
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
