"""The balancer itself, started as a user starts it: `lb up lb.yaml --api-port N --data DIR`."""

import importlib.metadata
import importlib.util
import platform
import sys
from pathlib import Path

from bench.peers.base import Launch, Site

_COMMAND = "lb.cli.main"
_DISTRIBUTION = "local-alb"


class Balancer:
    """This project's balancer."""

    name = "lb"

    def missing(self) -> str | None:
        """See Peer."""
        try:
            spec = importlib.util.find_spec(_COMMAND)
        except ModuleNotFoundError:
            spec = None
        if spec is not None:
            return None
        return f"{_COMMAND} cannot be imported by {sys.executable} (make bench installs it)"

    def version(self) -> str:
        """See Peer; says also which Python runs it, and whether it was compiled."""
        package = importlib.util.find_spec("lb")
        folders = package.submodule_search_locations if package else None
        compiled = any(next(Path(folder).rglob("*.so"), None) for folder in folders or ())
        how = "compiled" if compiled else "interpreted"
        number = importlib.metadata.version(_DISTRIBUTION)
        return f"{number} ({platform.python_implementation()} {platform.python_version()}, {how})"

    def prepare(self, site: Site) -> Launch:
        """See Peer."""
        targets = ", ".join(f'"127.0.0.1:{port}"' for port in site.origin_ports)
        config = f"""load_balancers:
  bench:
    listeners:
      - port: {site.port}
        forward: origins
target_groups:
  origins:
    health_check: {{path: /, interval: 30}}
    targets: [{targets}]
"""
        path = site.directory / "lb.yaml"
        path.write_text(config)
        data = site.directory / "data"
        data.mkdir(exist_ok=True)
        argv = [sys.executable, "-m", _COMMAND, "up", str(path)]
        argv += ["--api-port", str(site.spare_port), "--data", str(data)]
        return Launch(argv=argv, config=config, output=site.directory / "output.log", start_limit_s=20.0)
