"""The store of a balancer that keeps nothing: only the version, for the same contract as the others."""

from collections.abc import Sequence

from lb.resources.records import Change
from lb.store.store import ConflictError, Loaded


class MemoryStore:
    """A store that nobody else can write to and that ends with its process, so there is nothing to keep or to follow."""

    def __init__(self) -> None:
        self._version = 0

    async def open(self) -> Loaded:
        """Nothing, at version 0."""
        return Loaded(self._version, [])

    async def commit(self, version: int, changes: Sequence[Change]) -> int:
        """Counts a version. Raises ConflictError."""
        if version != self._version:
            raise ConflictError
        self._version += 1
        return self._version

    async def changes_since(self, version: int) -> tuple[int, list[Change]]:
        """Never anything."""
        return self._version, []

    async def close(self) -> None:
        """Nothing to do."""
