"""A browser for the tests of the console: one Chromium for all of them, a fresh page for each.

The tests here share one event loop, because the browser lives in it: an async fixture of theirs must say so too,
`@pytest_asyncio.fixture(loop_scope="session")`, or it waits for ever.
"""

import os
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from lb.app import App
from lb.compute.api import server_routes
from lb.compute.servers import EmbeddedServers, ServerSpec
from lb.configfile.reader import read_config
from lb.settings import Settings
from tests.console.pages import WAIT_LIMIT_MS, ConsolePage, OpenPage, opened
from tests.console.scenes import lb_yaml
from tests.support.balancer import until
from tests.support.ports import free_port

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
_AXE = "axe-core@4.10.3"
_NPM_LIMIT_S = 180

expect.set_options(timeout=WAIT_LIMIT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for the tests below this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, started once. Skips where there is none."""
    program = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if program is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=_FLAGS, timeout=WAIT_LIMIT_MS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """`await open_page(url, width=..., scheme="dark", locale="ko-KR")`: a page with a storage of its own.

    At the end no page may have complained: neither an exception nor a refusal by the Content-Security-Policy.
    """
    async with opened(browser) as open_one:
        yield open_one


@pytest_asyncio.fixture(loop_scope="session")
async def console_page(open_page: OpenPage, tmp_path: Path) -> AsyncIterator[ConsolePage]:
    """The console of a running balancer with two embedded web servers, as `lb demo` has them, on free ports."""
    port, api_port, first, second = (free_port() for _ in range(4))
    servers = EmbeddedServers([ServerSpec(1, first, "127.0.0.1"), ServerSpec(2, second, "127.0.0.1")])
    app = App(Settings(api_port=api_port, data_dir=tmp_path / "data"))
    text = lb_yaml(f"127.0.0.1:{first}", f"127.0.0.1:{second}").replace("8080", str(port))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(servers.close)
        stack.push_async_callback(app.close)
        await servers.start_all()
        await app.start(read_config(text, "lb.yaml"), server_routes(servers))
        await until(lambda: app.status()["ready"], "both web servers are checked")
        url = f"http://127.0.0.1:{api_port}/"
        page = await open_page(url)
        # Closed first: it would find nobody to ask.
        stack.push_async_callback(page.close)
        yield ConsolePage(page, url, port, app, servers)


Axe = Callable[[Page], Awaitable[list[str]]]


@pytest.fixture(scope="session")
def axe_source() -> str:
    """The text of axe-core, from npm into the user's cache. Skips where npm is missing or gets nothing."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "lb-tests" / _AXE
    script = cache / "package" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("needs npm, for axe-core")
        cache.mkdir(parents=True, exist_ok=True)
        got = subprocess.run(
            [npm, "pack", "--silent", _AXE], cwd=cache, capture_output=True, text=True, timeout=_NPM_LIMIT_S
        )
        if got.returncode != 0:
            pytest.skip(f"npm cannot get {_AXE}: {got.stderr.strip()[-200:]}")
        with tarfile.open(cache / got.stdout.split()[-1]) as archive:
            archive.extract("package/axe.min.js", cache, filter="data")
    return script.read_text("utf-8")


@pytest.fixture
def axe(axe_source: str) -> Axe:
    """`await axe(page)`: the serious and critical violations of a page as sentences, which should be none."""

    async def violations(page: Page) -> list[str]:
        await page.evaluate(axe_source)
        found = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
        return [
            f"{each['id']}: {each['help']}: {[node['html'] for node in each['nodes']][:3]}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]

    return violations
