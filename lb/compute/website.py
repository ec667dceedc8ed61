"""The pages of an embedded web server: the same as those of the Apache/PHP servers in `backends/`, in Starlette.

Each page exists with and without `.php`, so that one configuration file and one health check path fit both kinds of
server. What comes from outside goes through `escape`.
"""

import asyncio
import html
import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from lb.compute.database import DatabaseSettings, check_database
from lb.compute.database_diagnosis import Outcome
from lb.compute.firewall import dropped

# Beyond the balancer's idle timeout (60 s), so that 504 can be seen.
LONGEST_MS = 90_000

# A firewall that drops packets gives no answer at all; the page must not wait for it as long as TCP would.
DATABASE_TIMEOUT_S = 2.0

_NO_CONTENT = frozenset({204, 205, 304})
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_FORWARDED = re.compile(r"x-forwarded-.*|x-amzn-.*|x-real-ip|forwarded|via")


def server_name(number: int) -> str:
    """The name that web server `number` gives itself."""
    return f"Web Server {number}"


def front_page(number: int) -> str:
    """The lesson's index.html, to the byte."""
    return f"<html><body><p> {server_name(number)} </p></body></html>"


def create_website(
    number: int,
    database: DatabaseSettings | None,
    root: Path | None = None,
    is_blocked: Callable[[], bool] = lambda: False,
) -> Starlette:
    """The application of web server `number`. `database` None: `/info` says that none is configured.

    `root` is a document root, from which everything comes that is not one of the pages here; None for the front page alone.
    `is_blocked` tells whether a firewall drops what goes to the database.
    """
    pages = _Pages(number, database, is_blocked)
    routes: list[BaseRoute] = [] if root is not None else [Route("/", pages.front)]
    for name, page in (("health", pages.health), ("info", pages.info), ("slow", pages.slow), ("status", pages.status)):
        routes += [Route(f"/{name}", page), Route(f"/{name}.php", page)]
    if root is not None:
        routes.append(Mount("/", StaticFiles(directory=root, html=True)))
    return Starlette(routes=routes)


def escape(text: object) -> str:
    """Text as HTML."""
    return html.escape(str(text))


@dataclass(slots=True)
class _Pages:
    """The pages that know which server they are on; `up` is what its health page answers."""

    number: int
    database: DatabaseSettings | None
    is_blocked: Callable[[], bool]
    up: bool = True

    async def front(self, _request: Request) -> Response:
        """The lesson's index.html."""
        return HTMLResponse(front_page(self.number))

    async def health(self, request: Request) -> Response:
        """200, or 503 after `?set=down` until `?set=up`. Lives as long as the process."""
        asked = request.query_params.get("set")
        if asked not in (None, "up", "down"):
            return self._unclear("<code>set</code> must be <code>down</code> or <code>up</code>.")
        if asked is not None:
            self.up = asked == "up"
        return self._page(
            200 if self.up else 503,
            "Up" if self.up else "Down",
            "<p>The balancer's health check asks for this page. It answers 200 while this server is up; switched down,"
            " 503. Only the server that answers is switched:</p>\n<ul>\n"
            '<li><a href="/health.php?set=down">/health.php?set=down</a> - from now on 503</li>\n'
            '<li><a href="/health.php?set=up">/health.php?set=up</a> - 200 again</li>\n</ul>',
        )

    async def info(self, request: Request) -> Response:
        """What this server knows of the request that reached it. `?format=json` gives the same to programs."""
        forwarded: dict[str, str] = {}
        for name, value in request.headers.items():
            if _FORWARDED.fullmatch(name):
                title = name.title()
                forwarded[title] = f"{forwarded[title]}, {value}" if title in forwarded else value
        database = await self._check_database()
        address = _address_text(request.scope.get("server"))
        client = request.client.host if request.client else ""
        if request.query_params.get("format") == "json":
            return JSONResponse(
                {
                    "server": server_name(self.number),
                    "host": socket.gethostname(),
                    "server_address": address,
                    "client_address": client,
                    "x_forwarded_for": forwarded.get("X-Forwarded-For"),
                    "forwarded_headers": dict(sorted(forwarded.items())),
                    "database": database,
                }
            )
        rows = {
            "Server": server_name(self.number),
            "Host": socket.gethostname(),
            "Its address": address,
            "Client address, as this server sees it": client,
            "Client address, as X-Forwarded-For tells it": forwarded.get("X-Forwarded-For", "(no such header)"),
        }
        titles = {
            "outcome": "Outcome",
            "where": "Address",
            "message": "What happened",
            "cause": "Likely cause",
            "next_step": "Next step",
            "milliseconds": "Milliseconds",
        }
        return self._page(
            200,
            "Where this request arrived",
            _table(rows)
            + "\n<p>Behind a balancer the first is the balancer: it is the one that connected.</p>"
            + "\n<h2>Forwarded headers</h2>\n"
            + (
                _table(dict(sorted(forwarded.items())))
                if forwarded
                else "<p>None: this request did not come through a balancer.</p>"
            )
            + "\n<h2>Database</h2>\n"
            + _table({title: database[key] for key, title in titles.items() if database.get(key, "") != ""}),
        )

    async def slow(self, request: Request) -> Response:
        """Answers after `?ms=` milliseconds."""
        ms = _whole_number(request, "ms", 0, LONGEST_MS)
        if ms is None:
            return self._unclear(_must_be("slow", "ms", 0, LONGEST_MS, 500))
        await asyncio.sleep(ms / 1000)
        return self._page(200, "Slow", f"<p>Waited {ms} ms.</p>")

    async def status(self, request: Request) -> Response:
        """Answers with the status in `?code=`. 1xx is left out: such answers are not final."""
        code = _whole_number(request, "code", 200, 599)
        if code is None:
            return self._unclear(_must_be("status", "code", 200, 599, 503))
        if code in _NO_CONTENT:
            return Response(status_code=code)
        return self._page(code, f"Status {code}", "<p>As you asked.</p>")

    async def _check_database(self) -> dict[str, Any]:
        if self.database is None:
            return {
                "outcome": "not-configured",
                "message": "No database is configured.",
                "cause": "LB_DB_HOST is not set for this web server.",
            }
        started = time.monotonic()
        ask = dropped if self.is_blocked() else check_database
        found = await ask(self.database, DATABASE_TIMEOUT_S)
        result: dict[str, Any] = {"outcome": str(found.outcome), "message": found.message, "cause": found.cause}
        if found.outcome is not Outcome.OK:
            result["next_step"] = found.next_step
        result["where"] = f"{self.database.host}:{self.database.port}"
        result["milliseconds"] = int((time.monotonic() - started) * 1000)
        return result

    def _unclear(self, content: str) -> Response:
        return self._page(400, "What is asked is not clear", f"<p>{content}</p>")

    def _page(self, status: int, title: str, content: str) -> Response:
        """One page with this status; `content` is HTML, already escaped."""
        name = escape(server_name(self.number))
        return HTMLResponse(
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - {name}</title></head>\n'
            f"<body>\n<h1>{escape(title)}</h1>\n<p>Answered by <b>{name}</b></p>\n{content}\n</body></html>\n",
            status_code=status,
        )


def _whole_number(request: Request, name: str, least: int, most: int) -> int | None:
    text = request.query_params.get(name, "")
    return int(text) if _WHOLE_NUMBER.fullmatch(text) and least <= int(text) <= most else None


def _must_be(page: str, name: str, least: int, most: int, example: int) -> str:
    link = f"/{page}.php?{name}={example}"
    return (
        f'<code>{name}</code> must be a whole number from {least} to {most}, for example <a href="{link}">{link}</a>.'
    )


def _address_text(address: tuple[str, int | None] | None) -> str:
    if address is None:
        return ""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _table(rows: Mapping[str, object]) -> str:
    body = "".join(
        f'\n<tr><th align="left">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows.items()
    )
    return f"<table>{body}\n</table>"
