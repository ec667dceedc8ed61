"""What every store of records does, and how it fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from lb.resources.records import Change, Record

# For how many commits a store remembers what was deleted. A follower that is further behind gets every record anew.
KEPT_VERSIONS: Final = 10_000


class StoreError(Exception):
    """The store cannot be used; one line: what happened, and what to do next. It never holds a password."""


class ConflictError(Exception):
    """Somebody else has committed since the version that the changes were made for. Nothing was written."""

    def __init__(self) -> None:
        super().__init__("the records were changed by somebody else meanwhile; read the changes and try again")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a store held when it was opened: the version, and the records in order of creation."""

    version: int
    records: list[Record]


class Store(Protocol):
    """Records that survive, each commit making a version: 1, 2, 3, ... (0: nothing was ever written).

    A store follows one reader: it remembers which records that reader was told of.
    """

    async def open(self) -> Loaded:
        """Makes or migrates the schema and reads everything. Comes first, once. Raises StoreError."""
        ...

    async def commit(self, version: int, changes: Sequence[Change]) -> int:
        """Writes all changes or none; returns the new version. What was committed survives the process.

        Raises ConflictError where `version` is no longer the newest one, and StoreError. After a StoreError nothing was
        written, unless it says that the outcome is not known. Then, and where the call was cancelled, `changes_since` brings
        what was written after all.
        """
        ...

    async def changes_since(self, version: int) -> tuple[int, list[Change]]:
        """The newest version and what leads there from `version`: deletions first, then records in order of creation.

        Cheap while there is nothing new: made to be asked several times a second. Raises StoreError.
        """
        ...

    async def close(self) -> None:
        """Ends it, also one that failed; a second time does nothing."""
        ...
