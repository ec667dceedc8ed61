"""The composition root: the one place that knows the concrete parts of a balancer and joins them."""

import random
import re
from collections import deque
from collections.abc import Iterable
from time import monotonic, time
from typing import Any, Final

from starlette.routing import BaseRoute

from lb.adoption import Adoption
from lb.api.app import api_app
from lb.api.aws import AwsApi
from lb.api.calls import Calls
from lb.api.explain import explain_routes
from lb.api.lessons import lesson_routes
from lb.api.metrics import metrics_routes
from lb.api.operations import OPERATIONS
from lb.api.requests import requests_routes
from lb.api.seconds import seconds_routes
from lb.api.server import ApiServer
from lb.api.target_health import target_health_routes
from lb.api.try_requests import Entrance, TryRequests
from lb.api.why import why_routes
from lb.classroom.progress_file import ProgressFile
from lb.classroom.room import Classroom
from lb.compute.fault_api import fault_routes
from lb.compute.fault_targets import FaultTargets
from lb.compute.instances import Instances, find_placing
from lb.console.site import console_routes
from lb.control import Control
from lb.health.checker import HealthChecker
from lb.lessons.loader import load_lessons
from lb.live import ApiState, LiveView
from lb.model import names
from lb.model.config import Config
from lb.model.said import Language
from lb.net.discovery import Discovery
from lb.net.sockets import bind
from lb.observe.explain import Question, Situation, explain
from lb.observe.log_settings import load_balancers_of_groups
from lb.observe.metrics.collector import Metrics
from lb.observe.metrics.hosts import HostCounts, count_hosts
from lb.observe.recent import MOST
from lb.observe.recorder import Recorder
from lb.observe.request_filter import is_load_balancer
from lb.observe.request_stream import RequestStream
from lb.observe.request_view import view
from lb.observe.seconds import Seconds
from lb.observe.status import Check, status
from lb.observe.target_health import Checked, target_health
from lb.observe.target_names import TargetNames
from lb.observe.why import Kept, why
from lb.observe.words import load_words
from lb.proxy.node import Node
from lb.proxy.ports import Ports
from lb.resources.traffic import Traffic
from lb.routing.plan import Plan, unchanged
from lb.settings import Settings
from lb.store.cookie_key import cookie_key
from lb.store.open import store_of

# Plans that are kept for questions about requests that they decided, and how many requests one answer tells about.
_PAST_PLANS: Final = 16
_MOST_TOLD: Final = 10
_HOST: Final = re.compile(rb"\r\nhost:[ \t]*([^\r\n]*)", re.IGNORECASE)


class App:
    """One balancer process: a control side and a node.

    Raises OSError where the data folder cannot be used, StoreError for a store that does not exist.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._plans: deque[Plan] = deque([Plan()], _PAST_PLANS)  # the last one first
        self.metrics = Metrics(self._hosts)
        self.recorder = Recorder(settings.data_dir, self.metrics, zone=settings.zone or "", node_ip=settings.host)
        self._names = TargetNames()
        self._seconds = Seconds()
        self.recorder.watch(self._seconds.see)
        self.stream = RequestStream(self.recorder, self._names)
        # Spreads requests and probes: nothing here needs to be unpredictable.
        rng = random.Random()  # noqa: S311
        key = cookie_key(settings.data_dir / "cookie.key")
        self.node = Node(self.recorder, settings.connect_timeout_s, key, rng, settings.zone)
        self.ports = Ports(self.node, settings.host)
        self._discovery = Discovery(self._addresses_changed, settings.discovery_interval_s)
        self.checker = HealthChecker(self.node.apply_health, self._discovery.refresh, self.recorder.record_probe, rng)
        placing = find_placing()
        guarded = settings.database if settings.security_groups else None
        self._instances = Instances(
            settings.data_dir, placing, settings.docker_socket, guarded[1] if guarded is not None else None
        )
        self.faults = FaultTargets(self._instances)
        self.control = Control(
            store_of(settings.store, settings.data_dir),
            self.ports,
            self._discovery,
            Traffic(placing, security_groups=settings.security_groups),
            self._publish,
            self._records_changed,
        )
        live = LiveView(self.control, self.node, self._instances, self.metrics, settings.database)
        calls = Calls(OPERATIONS, ApiState(self.control), live, settings.account_id)
        self._aws = AwsApi(calls, region=settings.region, keys=settings.access_keys)
        self._classroom = Classroom(
            load_lessons(),
            ProgressFile(settings.data_dir / "lessons.json"),
            calls,
            live,
            records=lambda: self.control.records,
            recent=lambda since_s: self.recorder.last(MOST, lambda record: record.created_s >= since_s)[::-1],
            place=placing.place,
            bound_port=self.ports.bound_port,
            region=settings.region,
            security_groups=settings.security_groups,
        )
        docker = settings.docker_socket
        self._adoption = Adoption(docker, calls, settings.region, self._instances) if docker is not None else None
        self._words = load_words()
        self._tries = TryRequests(self._entrance, self._last_of_client, self._words)
        self._api: ApiServer | None = None

    async def start(self, config: Config, routes: Iterable[BaseRoute] = ()) -> None:
        """Serves a configuration beside what the store holds. `routes` are added to the API.

        Raises PortTakenError, PlanError, StoreError; then nothing is left open once `close` has been called.
        """
        bound = bind(self._settings.api_host, self._settings.api_port)
        self._api = ApiServer(
            api_app(
                self.status,
                (
                    *self._aws.routes(),
                    *explain_routes(self.explain),
                    *why_routes(self.why),
                    *metrics_routes(self.metrics),
                    *requests_routes(self.recorder.last, self.stream, self._names),
                    *seconds_routes(self._seconds, self.recorder.catch_up, self._names),
                    *target_health_routes(self.target_health),
                    *fault_routes(self.faults),
                    *lesson_routes(self._classroom),
                    *self._tries.routes(),
                    *console_routes(),
                    *routes,
                ),
            ),
            bound,
        )
        await self.control.open(config)
        self._records_changed()
        self.node.start()
        self.recorder.start()
        self.metrics.start()
        self.checker.start()
        self._discovery.start()
        self._classroom.open()
        self._aws.warm()
        if self._adoption is not None:
            self._adoption.start()
        self._api.start()

    async def apply(self, config: Config) -> None:
        """Makes this what the file defines; see `Control.apply_file`."""
        await self.control.apply_file(config)

    def _publish(self, config: Config, plan: Plan) -> None:
        before = self._plans[0]
        self._plans.appendleft(plan)
        self.recorder.configure(config)
        if not unchanged(before.groups, plan.groups):
            self._names.publish(plan)
            self.checker.reconcile(plan)

    def _records_changed(self) -> None:
        self._instances.reconcile(self.control.records)

    def _addresses_changed(self) -> None:
        self.control.addresses_changed()

    def status(self, language: Language = "en") -> dict[str, Any]:
        """The picture of the moment, as JSON values."""
        checks = {key: Check(watched.health, watched.last) for key, watched in self.checker.watched.items()}
        control = self.control
        words, bound_port = self._words[language], self.ports.bound_port
        return status(control.config, control.plan, self.node.rosters, checks, time(), bound_port, words)

    def target_health(self, language: Language = "en") -> list[dict[str, Any]]:
        """Each target's state machine and last probes, as JSON values."""
        checks = {
            key: Checked(watched.health, watched.since_s, tuple(reversed(watched.probes)))
            for key, watched in self.checker.watched.items()
        }
        return target_health(self.control.plan, self.node.rosters, checks, self._words[language])

    def _hosts(self) -> list[HostCounts]:
        users = load_balancers_of_groups(self.control.config)
        return [
            counts
            for group in self.control.plan.groups
            if group.arn in users
            for counts in count_hosts(
                users[group.arn],
                names.target_group_label(group.arn),
                self.node.rosters[group.arn].slots,
                group.choosing,
            )
        ]

    def explain(self, port: int, question: Question, language: Language = "en") -> dict[str, Any]:
        """Why a request to the listener of `port` would go where it goes. Raises KeyError where there is no such listener."""
        host = _HOST.search(question.head)
        listener = self.ports.on(port).listener_of(host[1] if host else None)
        situation = Situation(self.node.rosters, listener.pickers.get, monotonic(), time(), self.node.rng.random())
        return explain(listener.plan, question, situation, self._words[language])

    def why(self, trace_id: str, language: Language = "en") -> list[dict[str, Any]]:
        """Why requests went where they went that ended lately and have this id (`Recent.find`), the last one first."""
        found = self.recorder.find(trace_id)[:_MOST_TOLD]
        kept = Kept(self._plans, self.node.rosters, self.node.sealer, monotonic())
        return [why(record, kept, self._words[language]) for record in found]

    def _entrance(self, load_balancer: str, port: int) -> Entrance:
        """Raises LookupError."""
        number = self.ports.bound_port(port)
        for each in self.control.plan.listeners:
            origin = each.origin
            if number is not None and each.port == port and is_load_balancer(load_balancer, origin.load_balancer):
                return Entrance(self._settings.host, number, origin.dns_name)
        raise LookupError

    def _last_of_client(self, client: str) -> dict[str, Any] | None:
        found = self.recorder.last(1, lambda record: record.client == client)
        return view(found[0], self._names) if found else None

    async def close(self) -> None:
        """Ends cleanly: no new clients, requests in flight finish, everything is written."""
        self.control.end()
        self.ports.close()
        # First: the API server would wait for those who follow.
        self.stream.close()
        await self._tries.close()
        if self._api is not None:
            await self._api.close()
        await self._classroom.close()
        if self._adoption is not None:
            await self._adoption.close()
        await self.control.close()
        await self._discovery.close()
        await self.checker.close()
        await self.node.close(self._settings.shutdown_grace_s)
        # At once: it samples the targets of the node, which has none any more.
        self.metrics.close()
        await self._instances.close()
        await self.recorder.close()
