"""Connections to MySQL and MariaDB servers."""

import asyncio
import ssl
from typing import Any

from asyncmy.connection import Connection
from asyncmy.constants import CLIENT


class TLSWhereOffered(Connection):
    """asyncmy with the `mysql` client's default for TLS, PREFERRED: used where offered, the certificate unchecked.

    asyncmy itself knows only "always" and "never". Never is not enough: it would send what is stored in the clear, MySQL
    8's caching_sha2_password takes a password that it has not cached over TLS only (or with a further package), and users
    may be made with REQUIRE SSL. Always fails on servers without a certificate. So the choice is made where the greeting
    has just told what the server can do.
    """

    server_capabilities: int
    _client_flag: int
    _transport: asyncio.Transport | None
    _proto: Any

    def close(self) -> None:
        """Ends the connection now."""
        # asyncmy calls this on every failure. TLS would say goodbye and wait for the answer of a server that may be gone.
        if self._transport is not None:
            self._transport.abort()
        super().close()

    async def abort(self) -> None:
        """Returns when the socket is closed: the caller's event loop may end right after."""
        self.close()
        if self._proto is not None:
            await self._proto.wait_closed()

    async def _get_server_information(self) -> None:
        await super()._get_server_information()  # type: ignore[misc]  # not in asyncmy's stubs
        if self.server_capabilities & CLIENT.SSL:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self._ssl_context = context
            self._client_flag |= CLIENT.SSL
