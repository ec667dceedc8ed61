"""The real API server, showing whatever picture or scene it is given."""

import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from starlette.routing import BaseRoute

from lb.api.app import api_app
from lb.api.aws import AwsApi
from lb.api.calls import Calls
from lb.api.operations import OPERATIONS
from lb.api.server import ApiServer
from lb.console.site import console_routes
from lb.net.sockets import bind
from lb.resources.file_records import records_of
from lb.resources.records import Records, Transaction
from tests.api.aws_call import ACCOUNT, REGION, FakeLive
from tests.console.scenes import Scene

_T = TypeVar("_T")


class Stage:
    """`shown` is what GET /_lb/status answers from now on, in every language; `close` ends the server before its time."""

    def __init__(self, shown: dict[str, Any], bound: socket.socket, routes: Iterable[BaseRoute] = ()) -> None:
        self.shown = shown
        self.port = bound.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server = ApiServer(api_app(lambda _: self.shown, routes), bound)
        self._server.start()
        self._open = True

    async def close(self) -> None:
        """Nobody answers any more."""
        if self._open:
            self._open = False
            await self._server.close()


@asynccontextmanager
async def stage(shown: dict[str, Any], port: int = 0) -> AsyncIterator[Stage]:
    """Serves a picture on this loopback port, or on a free one."""
    set_up = Stage(shown, bind("127.0.0.1", port))
    try:
        yield set_up
    finally:
        await set_up.close()


class ConsoleStage(Stage):
    """The console and the AWS APIs on scenes, without a balancer."""

    def __init__(self, scene: Scene, bound: socket.socket) -> None:
        self.records = Records()
        self.live = FakeLive()
        self.show(scene)
        aws = AwsApi(Calls(OPERATIONS, self, self.live, ACCOUNT), region=REGION, keys={})
        super().__init__(self.shown, bound, [*aws.routes(), *console_routes()])

    def show(self, scene: Scene) -> None:
        """What there is from now on."""
        self.shown = scene.picture()
        self.records.replace_file(records_of(scene.config))

    async def transact(self, work: Callable[[Transaction], _T]) -> _T:
        """As `lb.api.calls.State`; the records alone change."""
        transaction = Transaction(self.records)
        result = work(transaction)
        self.records.apply(transaction.changes)
        return result


@asynccontextmanager
async def console_stage(scene: Scene, port: int = 0) -> AsyncIterator[ConsoleStage]:
    """Serves the console on this loopback port, or on a free one."""
    set_up = ConsoleStage(scene, bind("127.0.0.1", port))
    try:
        yield set_up
    finally:
        await set_up.close()
