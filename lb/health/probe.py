"""One health check request (fact sheet 6.2): a fresh connection, the status code, and nothing else of the answer."""

import asyncio
import os
from time import monotonic, time

import aiohttp
from yarl import URL

from lb.model.config import HealthCheck
from lb.routing.plan import Endpoint
from lb.targets.health import ProbeOutcome, ProbeResult

_DEFAULT_PORT = 80
_SKIPPED = ("Accept", "Accept-Encoding", "User-Agent")


class Prober:
    """Sends probes. `async with` opens and closes what it needs."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Prober":
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_SKIPPED,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def probe(self, endpoint: Endpoint, check: HealthCheck) -> ProbeResult:
        """Asks one target. Whatever goes wrong is a result; only cancellation is raised."""
        begun = monotonic()
        status: int | None = None
        if endpoint.address is None:
            outcome, detail = ProbeOutcome.FAILED, f"the name {endpoint.target.id} does not resolve"
        else:
            try:
                async with asyncio.timeout(check.timeout_s):
                    status = await self._status(endpoint.address, check.port or endpoint.target.port, check.path)
            except TimeoutError:
                outcome, detail = ProbeOutcome.TIMED_OUT, f"no answer within {check.timeout_s:g} s"
            except aiohttp.ClientConnectorError as error:
                outcome, detail = ProbeOutcome.FAILED, f"no connection: {_reason(error.os_error)}"
            except (aiohttp.ClientError, OSError, ValueError) as error:
                outcome, detail = ProbeOutcome.FAILED, f"no valid answer: {_first_line(error)}"
            else:
                passed = status in check.matcher
                outcome = ProbeOutcome.PASSED if passed else ProbeOutcome.CODE_MISMATCH
                detail = "" if passed else f"status {status}, expected {check.matcher.text}"
        return ProbeResult(outcome, status, detail, monotonic() - begun, time())

    async def _status(self, address: str, port: int, path: str) -> int:
        assert self._session is not None
        host = f"[{address}]" if ":" in address else address
        headers = {
            "Host": host if port == _DEFAULT_PORT else f"{host}:{port}",
            "User-Agent": "ELB-HealthChecker/2.0",
            "Accept-Encoding": "gzip, compressed",
        }
        url = URL(f"http://{host}:{port}{path}", encoded=True)
        response = await self._session.get(url, headers=headers, allow_redirects=False)
        response.close()
        return response.status


def _reason(error: OSError) -> str:
    # uvloop and asyncio word a failed connection differently, and neither as the system does.
    return os.strerror(error.errno).lower() if error.errno else _first_line(error)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
