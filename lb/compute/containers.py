"""Containers of a Docker engine that ask to be targets: those with the labels `lb.target-group` and, if not 80, `lb.port`.

Speaks the engine's HTTP API over its socket. Source: Docker Engine API, ContainerList, ContainerStart, ContainerStop, whose
parts used here are the same in all versions since 1.24.
All functions block; they belong into a thread.
"""

import http.client
import json
import socket
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from lb.resources.containers import Container

GROUP_LABEL: Final = "lb.target-group"
PORT_LABEL: Final = "lb.port"
_TIMEOUT_S: Final = 15.0
_DONE: Final = (204, 304)


class DockerError(Exception):
    """The engine cannot be asked, or refuses; one line."""


def list_containers(docker: Path) -> list[Container]:
    """Containers with the label, running or not, in order of creation. Raises DockerError."""
    wanted = quote(json.dumps({"label": [GROUP_LABEL]}))
    found = json.loads(_ask(docker, "GET", f"/containers/json?all=1&filters={wanted}", (200,)))
    return [_container(each) for each in sorted(found, key=lambda each: (each["Created"], each["Id"]))]


def set_running(docker: Path, container_id: str, *, running: bool) -> None:
    """Starts or stops a container; one that is so already is left alone. Raises DockerError."""
    _ask(docker, "POST", f"/containers/{container_id}/{'start' if running else 'stop?t=5'}", _DONE)


def _container(told: dict[str, Any]) -> Container:
    labels = told["Labels"]
    networks = (told.get("NetworkSettings") or {}).get("Networks") or {}
    addresses = [network["IPAddress"] for network in networks.values() if network.get("IPAddress")]
    text = labels.get(PORT_LABEL, "80")
    names = told.get("Names") or [told["Id"][:12]]
    return Container(
        id=told["Id"],
        name=names[0].removeprefix("/"),
        running=told["State"] == "running",
        address=addresses[0] if addresses else "",
        target_group=labels[GROUP_LABEL],
        port=int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else 80,
    )


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("docker", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _ask(docker: Path, method: str, path: str, expected: tuple[int, ...]) -> bytes:
    connection = _Connection(docker)
    try:
        # Each engine serves a range of versions that moves on: its own newest is always in it.
        connection.request("GET", "/version")
        version = json.loads(connection.getresponse().read())["ApiVersion"]
        connection.request(method, f"/v{version}{path}")
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise DockerError(f"the Docker engine at {docker} does not answer: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DockerError(f"what answers at {docker} is no Docker engine") from error
    finally:
        connection.close()
    if answer.status not in expected:
        raise DockerError(f"the Docker engine refuses {method} {path}: {answer.status} {body.decode(errors='replace')}")
    return body
