"""Progress of the lessons on the disk: `lessons.json` in the data folder, replaced as a whole.

Beside the store, not in it: several balancers may share a store, and a learner sits at one of them.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from lb.lessons.engine import Progress

_log = logging.getLogger(__name__)


class ProgressFile:
    """Reads and writes the progress of each lesson by its id."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Progress]:
        """What was written last; nothing where there is no file, or one that holds something else."""
        try:
            return {key: Progress(**value) for key, value in json.loads(self._path.read_text("utf-8")).items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            _log.error("%s is not readable, so every lesson begins anew: %s", self._path, error)
            return {}

    def write(self, progress: Mapping[str, Progress]) -> None:
        """Replaces the file, at once and whole. Raises OSError."""
        text = json.dumps({key: asdict(value) for key, value in progress.items()}, indent=2)
        half = self._path.with_name(self._path.name + ".half")
        half.write_text(text, "utf-8")
        half.replace(self._path)
