"""How one balancer process runs: what is not part of the load balancers' configuration."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """`host` is where listeners bind, `api_host` and `api_port` where the API does; `data_dir` holds logs and the cookie key.

    `zone` is the Availability Zone that this node stands in; a node without one uses the targets of every zone.
    """

    host: str = "127.0.0.1"
    api_host: str = "127.0.0.1"
    api_port: int = 9000
    data_dir: Path = Path("lb-data")
    zone: str | None = None
    # ALB: 10 s until 504 (fact sheet 5.5).
    connect_timeout_s: float = 10.0
    discovery_interval_s: float = 5.0
    shutdown_grace_s: float = 5.0
