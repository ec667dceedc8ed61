"""`GET /metrics`: the metrics as Prometheus text."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from lb.observe.metrics.collector import Metrics
from lb.observe.metrics.prometheus import CONTENT_TYPE


def metrics_routes(metrics: Metrics) -> list[BaseRoute]:
    """Routes for `metrics`, to be mounted at the root of the API."""

    async def show(_request: Request) -> Response:
        return Response(metrics.prometheus(), media_type=CONTENT_TYPE)

    return [Route("/metrics", show, methods=["GET"])]
