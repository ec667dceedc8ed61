"""The faults that an embedded web server can be given, and how its parent tells it: one JSON line each."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

LONGEST_MS: Final = 90_000


class Fault(StrEnum):
    """What is wrong with a web server (docs/local-api.md)."""

    NONE = "none"
    SLOW = "slow"
    ERROR = "error"
    RESET = "reset"
    DROP_IDLE = "drop_idle"


_USUAL_MS: Final = {Fault.SLOW: 500, Fault.DROP_IDLE: 2_000}


@dataclass(frozen=True, slots=True)
class FaultSetting:
    """A fault; `ms` is how long it takes, None for faults without a duration."""

    fault: Fault = Fault.NONE
    ms: int | None = None

    @classmethod
    def of(cls, fault: Fault, ms: int | None = None) -> Self:
        """With the usual duration where a fault has one and none is given. Raises ValueError."""
        usual = _USUAL_MS.get(fault)
        if usual is None:
            if ms is not None:
                raise ValueError(f"the fault {fault} has no duration: leave out ms")
            return cls(fault)
        if ms is not None and not 1 <= ms <= LONGEST_MS:
            raise ValueError(f"ms must be a whole number from 1 to {LONGEST_MS}")
        return cls(fault, usual if ms is None else ms)

    @property
    def duration_s(self) -> float:
        """The duration in seconds, 0 without one."""
        return (self.ms or 0) / 1000

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps({"fault": self.fault, "ms": self.ms})

    @classmethod
    def read(cls, line: str | bytes) -> Self:
        """What `line` wrote. Raises ValueError."""
        value = json.loads(line)
        return cls.of(Fault(value["fault"]), value["ms"])
