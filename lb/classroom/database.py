"""The web server's question to the database, with the security group that the lesson puts between them."""

import asyncio
from collections.abc import Callable
from typing import Final

from lb.compute.database import DatabaseCheck, DatabaseSettings, check_database
from lb.compute.database_diagnosis import SILENT

ASK_WITHIN_S: Final = 3.0


async def ask(settings: DatabaseSettings, admitted: Callable[[], bool]) -> DatabaseCheck:
    """`check_database`, or where the firewall drops the packets the silence that this looks like from the web server."""
    if admitted():
        return await check_database(settings, ASK_WITHIN_S)
    await asyncio.sleep(ASK_WITHIN_S)
    where = {"host": settings.host, "port": settings.port}
    return DatabaseCheck(
        SILENT.outcome,
        f"{SILENT.happened.format(**where)}: no answer within {ASK_WITHIN_S:g} s",
        SILENT.cause.format(**where),
        SILENT.next_step.format(**where),
    )
