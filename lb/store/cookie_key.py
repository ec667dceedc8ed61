"""The key that protects sticky cookies: it outlives the process, so that clients keep their targets over a restart."""

import os
from pathlib import Path

from lb.targets.sealing import KEY_BYTES


def cookie_key(path: Path) -> bytes:
    """Reads the key, or makes one that only its owner can read. Raises OSError, and ValueError for a file that is none."""
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        key = os.urandom(KEY_BYTES)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} does not hold a key of {KEY_BYTES} bytes; remove it to get a new one")
    return key
