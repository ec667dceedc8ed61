"""Balancers at one moment, made of the real parts without sockets: for tests of what shows them."""

from collections.abc import Mapping
from typing import Any

from lb.configfile.reader import read_config
from lb.observe.status import Check, status
from lb.routing.plan import Plan, compile_plan
from lb.targets.health import REGISTERED, Health, ProbeOutcome, ProbeResult, advance
from lb.targets.roster import Roster
from tests.targets.rosters import new_roster

NOW_S = 1_800_000_000.0
PROBED_S_AGO = 1.0

PASSED = (ProbeOutcome.PASSED, 200, "")
NOT_FOUND = (ProbeOutcome.CODE_MISMATCH, 404, "status 404, expected 200")
REFUSED = (ProbeOutcome.FAILED, None, "no connection: Connection refused")
SILENT = (ProbeOutcome.TIMED_OUT, None, "no answer within 1 s")
UNRESOLVED = (ProbeOutcome.FAILED, None, "the name web3 does not resolve")

Outcome = tuple[ProbeOutcome, int | None, str]

LB_YAML = """\
load_balancers: {{web: {{listeners: [{{port: 8080, forward: web-servers}}]}}}}
target_groups:
  web-servers:
    health_check: {{path: {path}, interval: 2, timeout: 1, healthy_threshold: 2, unhealthy_threshold: 2}}
    targets: [{targets}]
"""


def lb_yaml(*targets: str, path: str = "/health.php") -> str:
    """One load balancer, one target group with these targets."""
    return LB_YAML.format(path=path, targets=", ".join(f'"{target}"' for target in targets))


class Scene:
    """A configuration, and what probes and requests have done to its targets since it was applied."""

    def __init__(self, text: str, addresses: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._addresses = addresses
        self._rosters: dict[str, Roster] = {}
        self._checks: dict[tuple[str, str], Check] = {}
        self.plan = Plan()
        self.apply(text)

    def apply(self, text: str) -> None:
        """A new configuration; targets that are not in it any more drain."""
        self.config = read_config(text, "lb.yaml")
        ids = {target.id for group in self.config.target_groups for target in group.targets}
        self.plan = compile_plan(self.config, self._addresses or {each: (each,) for each in ids})
        for group in self.plan.groups:
            self._rosters.setdefault(group.arn, new_roster(group.arn)).reconcile(group, NOW_S)
        wanted = {(group.arn, each.key) for group in self.plan.groups if group.in_use for each in group.endpoints}
        self._checks = {key: check for key, check in self._checks.items() if key in wanted}

    def probe(self, outcome: Outcome, *keys: str, times: int = 1) -> None:
        """So many probes in a row end like this, for these targets (`address:port`) or for all."""
        for group in self.plan.groups:
            for endpoint in group.endpoints:
                if keys and endpoint.key not in keys:
                    continue
                key = (group.arn, endpoint.key)
                for _ in range(times):
                    health: Health = self._checks[key].health if key in self._checks else REGISTERED
                    result = ProbeResult(*outcome, latency_s=0.0021, at_s=NOW_S - PROBED_S_AGO)
                    self._checks[key] = Check(advance(health, result, group.health_check), result)
                    self._rosters[group.arn].apply_health(endpoint.key, self._checks[key].health, NOW_S)

    def serve(self, requests: int) -> None:
        """So many requests are begun and ended, one after the other, by each target group."""
        for roster in self._rosters.values():
            for _ in range(requests):
                slot = roster.pick(NOW_S)
                assert slot is not None
                roster.release(slot)

    def picture(self) -> dict[str, Any]:
        """What GET /_lb/status answers in English."""
        return status(self.config, self.plan, self._rosters, self._checks, NOW_S)


def all_healthy(*targets: str) -> Scene:
    """Everything is well."""
    scene = Scene(lb_yaml(*(targets or ("web1:80", "web2:80"))))
    scene.probe(PASSED)
    scene.serve(4)
    return scene


def one_down() -> Scene:
    """The second server does not run."""
    scene = all_healthy()
    scene.probe(REFUSED, "web2:80", times=2)
    return scene


def lesson() -> Scene:
    """The lesson's health check path: a directory on the disk, which Apache does not find."""
    scene = Scene(lb_yaml("web1:80", "web2:80", path="/var/www/html"))
    scene.probe(NOT_FOUND, times=2)
    scene.serve(4)
    return scene


def draining() -> Scene:
    """The second server was taken out of the file."""
    scene = all_healthy()
    scene.apply(lb_yaml("web1:80"))
    return scene


def initial() -> Scene:
    """Nothing has been probed yet."""
    return Scene(lb_yaml("web1:80", "web2:80"))


def unresolved() -> Scene:
    """A third target whose name stands for no address."""
    scene = Scene(lb_yaml("web1:80", "web2:80", "web3:80"), {"web1": ("172.18.0.3",), "web2": ("172.18.0.4",)})
    scene.probe(PASSED, "172.18.0.3:80", "172.18.0.4:80")
    scene.probe(UNRESOLVED, "web3:80")
    return scene


def no_targets() -> Scene:
    """A target group with nothing in it."""
    return Scene(lb_yaml())


def crowd(count: int = 200) -> Scene:
    """Many targets with long names, in every state."""
    names = [f"ec2-203-0-113-{number}.ap-northeast-2.compute.amazonaws.example:80" for number in range(count)]
    scene = all_healthy(*names)
    scene.probe(NOT_FOUND, *names[3::50], times=2)
    scene.probe(SILENT, *names[7::40], times=2)
    scene.probe(REFUSED, *names[11::30], times=1)
    scene.serve(2_345)
    scene.apply(lb_yaml(*names[:-2], "new.example:80"))
    return scene
