"""`GET /metrics` on the API port, as Prometheus asks for it."""

import aiohttp

from lb.api.app import api_app
from lb.api.metrics import metrics_routes
from lb.api.server import ApiServer
from lb.net.sockets import bind
from lb.observe.metrics.collector import Metrics
from tests.observe.metrics.made import finished


async def test_metrics_are_served_as_prometheus_text():
    metrics = Metrics(lambda: ())
    node = metrics.node("", lambda: None)
    bound = bind("127.0.0.1", 0)
    address = f"http://127.0.0.1:{bound.getsockname()[1]}/metrics"
    server = ApiServer(api_app(lambda _: {}, metrics_routes(metrics)), bound)
    server.start()
    try:
        async with aiohttp.ClientSession() as session:
            async with session.get(address) as response:
                assert (response.status, await response.text()) == (200, "")
                assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            node.count([finished()])
            async with session.get(address) as response:
                assert await response.text() == metrics.prometheus()
                assert "lb_request_count_total{" in await response.text()
            async with session.post(address) as response:
                assert response.status == 405
    finally:
        await server.close()
