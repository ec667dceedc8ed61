"""Says that a log cannot be written: once when it begins, and once when it is over, however many batches fail meanwhile."""

import logging


class LostEntries:
    """Counts the entries of one log that are lost. `name` is what messages call it."""

    def __init__(self, name: str, log: logging.Logger) -> None:
        self._name = name
        self._log = log
        self._failing = False
        self._number = 0

    def add(self, number: int, error: OSError) -> None:
        """So many entries could not be written."""
        self._number += number
        if not self._failing:
            self._failing = True
            self._log.error("%s: entries cannot be written and are lost: %s", self._name, error.strerror or error)

    def over(self) -> None:
        """A batch was written."""
        if self._failing:
            self._failing = False
            self._log.warning("%s: entries can be written again, %d were lost", self._name, self._number)
            self._number = 0
