"""The console's files over HTTP."""

import aiohttp
import pytest
import pytest_asyncio
import yarl

from lb.console.site import STATIC, TYPES
from tests.console import scenes
from tests.console.stage import console_stage

LIMIT = 200_000


@pytest_asyncio.fixture(loop_scope="session")
async def url():
    async with console_stage(scenes.all_healthy()) as shown:
        yield shown.url


def files():
    return [path for path in STATIC.rglob("*") if path.is_file()]


async def test_every_file_has_its_type_and_runs_nothing_from_elsewhere(url):
    async with aiohttp.ClientSession() as session:
        for path in files():
            async with session.get(f"{url}/console/{path.relative_to(STATIC).as_posix()}") as response:
                assert response.status == 200, path
                assert response.headers["Content-Type"] == TYPES[path.suffix]
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert "default-src 'self'" in response.headers["Content-Security-Policy"]
                assert await response.read() == path.read_bytes()


async def test_the_page_is_at_the_root_and_calls_of_the_aws_api_still_go_there(url):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/") as response:
            assert response.headers["Content-Type"] == "text/html; charset=utf-8"
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        call = {"Action": "DescribeLoadBalancers", "Version": "2015-12-01"}
        async with session.post(f"{url}/", data=call) as response:
            assert "<LoadBalancerName>web</LoadBalancerName>" in await response.text()


async def test_a_file_is_asked_for_each_time_and_sent_when_it_has_changed(url):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/console/app.js") as response:
            assert response.headers["Cache-Control"] == "no-cache"
            tag = response.headers["ETag"]
        async with session.get(f"{url}/console/app.js", headers={"If-None-Match": tag}) as response:
            assert (response.status, await response.read()) == (304, b"")
            assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["../site.py", "..%2fsite.py", "%2e%2e/site.py", "views/../../site.py", "", "views", "none.js"]
)
async def test_only_files_of_the_site_are_served(url, path):
    address = yarl.URL(f"{url}/console/{path}", encoded=True)
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        assert response.status == 404


async def test_all_of_it_together_is_small_as_it_travels(url):
    total = 0
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        for path in files():
            address = f"{url}/console/{path.relative_to(STATIC).as_posix()}"
            async with session.get(address, headers={"Accept-Encoding": "gzip"}) as response:
                total += len(await response.read())
    assert total < LIMIT


def test_it_names_no_other_host_and_writes_no_markup():
    for path in files():
        text = path.read_text("utf-8")
        found = [word for word in ("https://", "innerHTML", "insertAdjacentHTML", "outerHTML") if word in text]
        assert found == [], path
