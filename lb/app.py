"""The composition root: the one place that knows the concrete parts of a balancer and joins them."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from time import monotonic, time
from typing import Any, Final

from starlette.routing import BaseRoute

from lb.api.app import api_app
from lb.api.explain import explain_routes
from lb.api.metrics import metrics_routes
from lb.api.server import ApiServer
from lb.api.why import why_routes
from lb.health.checker import HealthChecker
from lb.model import names
from lb.model.config import Config
from lb.net.discovery import Discovery
from lb.net.sockets import bind
from lb.net.tasks import Tasks
from lb.observe.explain import Question, Situation, explain
from lb.observe.log_settings import load_balancers_of_groups
from lb.observe.metrics.collector import Metrics
from lb.observe.metrics.hosts import HostCounts, count_hosts
from lb.observe.recorder import Recorder
from lb.observe.status import Check, status
from lb.observe.why import why
from lb.proxy.node import Node
from lb.proxy.ports import Ports, Prepared
from lb.routing.plan import Plan, compile_plan
from lb.settings import Settings
from lb.store.cookie_key import cookie_key

_log = logging.getLogger(__name__)
# Plans that are kept for questions about requests that they decided, and how many requests one answer tells about.
_PAST_PLANS: Final = 16
_MOST_TOLD: Final = 10
_PAGE = Path(__file__).parent / "console" / "status.html"


class App:
    """One balancer process: a control side and a node. Raises OSError where the data folder cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._config = Config()
        self._plan = Plan()
        self._plans: deque[Plan] = deque(maxlen=_PAST_PLANS)  # the last one first
        self._applying = asyncio.Lock()
        self._closing = False
        self._tasks = Tasks()
        self.metrics = Metrics(self._hosts)
        self.recorder = Recorder(settings.data_dir, self.metrics, zone=settings.zone or "", node_ip=settings.host)
        # Spreads requests and probes: nothing here needs to be unpredictable.
        rng = random.Random()  # noqa: S311
        key = cookie_key(settings.data_dir / "cookie.key")
        self.node = Node(self.recorder, settings.connect_timeout_s, key, rng, settings.zone)
        self._ports = Ports(self.node, settings.host)
        self._discovery = Discovery(self._addresses_changed, settings.discovery_interval_s)
        self.checker = HealthChecker(self.node.apply_health, self._discovery.refresh, self.recorder.record_probe, rng)
        self._api: ApiServer | None = None

    async def start(self, config: Config, routes: Iterable[BaseRoute] = ()) -> None:
        """Serves a configuration. `routes` are added to the API.

        Raises PortTakenError, PlanError; then nothing is left open once `close` has been called.
        """
        bound = bind(self._settings.api_host, self._settings.api_port)
        self._api = ApiServer(
            api_app(
                self.status,
                _PAGE,
                (*explain_routes(self.explain), *why_routes(self.why), *metrics_routes(self.metrics), *routes),
            ),
            bound,
        )
        await self.apply(config)
        self.node.start()
        self.recorder.start()
        self.metrics.start()
        self.checker.start()
        self._discovery.start()
        self._api.start()

    async def apply(self, config: Config) -> None:
        """Makes this the configuration; all of it or, when an error is raised, nothing.

        Requests in flight end under the old one. Raises PortTakenError, PlanError.
        """
        async with self._applying:
            names = {target.id for group in config.target_groups for target in group.targets}
            addresses = await self._discovery.look_up(names)
            plan = compile_plan(config, addresses)
            prepared = self._ports.prepare(plan)
            self._discovery.watch(names, addresses)
            await self._commit(config, prepared)

    async def _commit(self, config: Config, prepared: Prepared) -> None:
        # Up to the first await nobody else runs: what is shown and what carries traffic change together.
        self._config = config
        self._plan = prepared.plan
        self._plans.appendleft(prepared.plan)
        self._ports.commit(prepared)
        self.recorder.configure(config)
        self.checker.reconcile(prepared.plan)
        await self._ports.start()

    def _addresses_changed(self) -> None:
        if not self._closing:
            self._tasks.spawn(self._take_addresses(), name="publish addresses")

    async def _take_addresses(self) -> None:
        async with self._applying:
            names = {target.id for group in self._config.target_groups for target in group.targets}
            plan = compile_plan(self._config, self._discovery.known(names))
            if not self._closing:
                await self._commit(self._config, self._ports.prepare(plan))

    def status(self) -> dict[str, Any]:
        """The picture of the moment, as JSON values."""
        checks = {key: Check(watched.health, watched.last) for key, watched in self.checker.watched.items()}
        return status(self._config, self._plan, self.node.rosters, checks, time())

    def _hosts(self) -> list[HostCounts]:
        users = load_balancers_of_groups(self._config)
        return [
            counts
            for group in self._plan.groups
            if group.arn in users
            for counts in count_hosts(
                users[group.arn],
                names.target_group_label(group.arn),
                self.node.rosters[group.arn].slots,
                group.choosing,
            )
        ]

    def explain(self, port: int, question: Question) -> dict[str, Any]:
        """Why a request to the listener of `port` would go where it goes. Raises KeyError where there is no such listener."""
        listener = self._ports.on(port).first
        situation = Situation(self.node.rosters, listener.pickers.get, monotonic(), time(), self.node.rng.random())
        return explain(listener.plan, question, situation)

    def why(self, trace_id: str) -> list[dict[str, Any]]:
        """Why requests went where they went that ended lately and have this id (`Recent.find`), the last one first."""
        found = self.recorder.find(trace_id)[:_MOST_TOLD]
        return [why(record, self._plans, self.node.rosters, self.node.sealer, monotonic()) for record in found]

    async def close(self) -> None:
        """Ends cleanly: no new clients, requests in flight finish, everything is written."""
        self._closing = True
        self._ports.close()
        if self._api is not None:
            await self._api.close()
        await self._discovery.close()
        await self.checker.close()
        await self._tasks.close()
        await self.node.close(self._settings.shutdown_grace_s)
        self.metrics.close()
        await self.recorder.close()
