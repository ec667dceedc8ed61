"""The balancer itself, started as a user starts it: `lb up lb.yaml --api-port N --data DIR`; and two ways to vary it."""

import importlib.metadata
import importlib.util
import platform
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from bench.peers.base import Launch, Site
from bench.ruleset import HUNDRED_RULES

_COMMAND: Final = "lb.cli.main"
_NODE_ALONE: Final = "bench.node_alone"
_DISTRIBUTION: Final = "local-alb"
_START_LIMIT_S: Final = 20.0


class Balancer:
    """This project's balancer: one rule, the default one; access log and metrics as always."""

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
        config = yaml.safe_dump(self.config(site), sort_keys=False)
        path = site.directory / "lb.yaml"
        path.write_text(config)
        data = site.directory / "data"
        data.mkdir(exist_ok=True)
        argv = self.argv(path, site.spare_port, data)
        return Launch(argv=argv, config=config, output=site.directory / "output.log", start_limit_s=_START_LIMIT_S)

    def config(self, site: Site) -> dict[str, Any]:
        """What its `lb.yaml` says."""
        return {
            "load_balancers": {"bench": {"listeners": [{"port": site.port, "forward": "origins"}]}},
            "target_groups": {
                "origins": {
                    "health_check": {"path": "/", "interval": 30},
                    "targets": [f"127.0.0.1:{port}" for port in site.origin_ports],
                }
            },
        }

    def argv(self, path: Path, api_port: int, data: Path) -> list[str]:
        """The command for a configuration file and a directory that it may fill."""
        return [sys.executable, "-m", _COMMAND, "up", str(path), "--api-port", str(api_port), "--data", str(data)]


class BalancerWithRules(Balancer):
    """The same with 100 rules on the listener and sticky sessions."""

    name = "lb-rules"

    def config(self, site: Site) -> dict[str, Any]:
        """What its `lb.yaml` says."""
        config = super().config(site)
        config["load_balancers"]["bench"]["listeners"][0]["rules"] = HUNDRED_RULES
        config["target_groups"]["origins"]["attributes"] = {"stickiness.enabled": True}
        return config


class NodeAlone(Balancer):
    """The same as `Balancer` with nobody who takes the node's records: no access log, no metrics."""

    name = "lb-bare"

    def argv(self, path: Path, api_port: int, data: Path) -> list[str]:
        """The command; it fills no directory and has no API."""
        del api_port, data
        return [sys.executable, "-m", _NODE_ALONE, str(path)]
