"""The firewall between a web server and its database, and how a web server's parent tells it: one JSON line each."""

import asyncio
import json
from dataclasses import dataclass
from typing import Self

from lb.compute.database import DatabaseCheck, DatabaseSettings
from lb.compute.database_diagnosis import SILENT


@dataclass(frozen=True, slots=True)
class FirewallSetting:
    """Whether packets to the database are dropped."""

    drops: bool = False

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps({"database_blocked": self.drops})

    @classmethod
    def read(cls, line: str | bytes) -> Self | None:
        """What `line` wrote, None for a line about something else. Raises ValueError."""
        value = json.loads(line)
        return cls(bool(value["database_blocked"])) if "database_blocked" in value else None


class Firewall:
    """Before a web server's database; `setting` is what requests meet from then on."""

    def __init__(self) -> None:
        self.setting = FirewallSetting()

    def drops(self) -> bool:
        """Whether packets to the database are dropped."""
        return self.setting.drops


async def dropped(settings: DatabaseSettings, timeout_s: float) -> DatabaseCheck:
    """What a web server sees whose packets to the database are dropped: silence, until the timeout."""
    await asyncio.sleep(timeout_s)
    where = {"host": settings.host, "port": settings.port}
    return DatabaseCheck(
        SILENT.outcome,
        f"{SILENT.happened.format(**where)}: no answer within {timeout_s:g} s",
        SILENT.cause.format(**where),
        SILENT.next_step.format(**where),
    )
