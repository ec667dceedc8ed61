"""How one balancer process runs: what is not part of the load balancers' configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lb.model.names import DEFAULT_ACCOUNT_ID, DEFAULT_REGION


@dataclass(frozen=True, slots=True)
class Settings:
    """`host` is where listeners bind, `api_host` and `api_port` where the API does; `data_dir` holds what is kept.

    `zone` is the Availability Zone that this node stands in; a node without one uses the targets of every zone.
    `store` names the store of the API's resources (`lb.store.open`). `access_keys` are secret keys by access key; where
    there are some, calls of the AWS APIs must be signed with one of them. `security_groups` tells whether they keep
    anybody out. `database` is the MySQL server that RDS answers as the endpoint of its instances. Containers of the
    engine at `docker_socket` that have the label lb.target-group become instances.
    """

    host: str = "127.0.0.1"
    api_host: str = "127.0.0.1"
    api_port: int = 9000
    data_dir: Path = Path("lb-data")
    zone: str | None = None
    store: str = "memory"
    account_id: str = DEFAULT_ACCOUNT_ID
    region: str = DEFAULT_REGION
    access_keys: Mapping[str, str] = field(default_factory=dict)
    security_groups: bool = True
    database: tuple[str, int] | None = None
    docker_socket: Path | None = None
    # ALB: 10 s until 504 (fact sheet 5.5).
    connect_timeout_s: float = 10.0
    discovery_interval_s: float = 5.0
    shutdown_grace_s: float = 5.0
