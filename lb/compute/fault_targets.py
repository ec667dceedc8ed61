"""All web servers that are ours and can be given faults: the demo's and the instances'."""

from typing import Any, Final, Literal

from lb.compute.faults import Fault, FaultSetting
from lb.compute.instances import Instances
from lb.compute.servers import UNKNOWN_SERVER, EmbeddedServers, ServerError, ServerStatus

Json = dict[str, Any]
Wish = Literal["start", "stop"] | Fault
_DEMO: Final = "server-"


class FaultTargets:
    """Web servers by id: `i-...` for instances, `server-N` for those of the demo."""

    def __init__(self, instances: Instances) -> None:
        self._instances = instances
        self._demo = EmbeddedServers(())

    def add_demo(self, servers: EmbeddedServers) -> None:
        """The demo's servers, which stay the demo's to start and close."""
        self._demo = servers

    def list(self) -> list[Json]:
        """Every web server as JSON values."""
        demo = [_told(f"{_DEMO}{status.number}", "demo", status) for status in self._demo.list()]
        running = {status.number: status for status in self._instances.servers.list()}
        return demo + [
            _told(name, "instance", running[number])
            for name, number in sorted(self._instances.web_servers.items())
            if number in running
        ]

    async def apply(self, name: str, wish: Wish, ms: int | None) -> Json:
        """Makes it so, and returns the server once it has taken effect. Raises ServerError, ValueError."""
        kind, servers, number = self._find(name)
        if isinstance(wish, Fault):
            status = await servers.set_fault(number, FaultSetting.of(wish, ms))
        elif ms is not None:
            raise ValueError(f"{wish} has no duration: leave out ms")
        else:
            status = await (servers.start(number) if wish == "start" else servers.stop(number))
        return _told(name, kind, status)

    def _find(self, name: str) -> tuple[str, EmbeddedServers, int]:
        for server in self._demo.list():
            if name == f"{_DEMO}{server.number}":
                return "demo", self._demo, server.number
        number = self._instances.web_servers.get(name)
        if number is None:
            known = ", ".join(each["id"] for each in self.list()) or "none"
            raise ServerError(UNKNOWN_SERVER, f"there is no web server {name} here; known: {known}")
        return "instance", self._instances.servers, number


def _told(name: str, kind: str, status: ServerStatus) -> Json:
    return {
        "id": name,
        "kind": kind,
        "name": status.name,
        "number": status.number,
        "address": status.host,
        "port": status.port,
        "state": status.state.value,
        "fault": status.fault.value,
        "ms": status.fault_ms,
    }
