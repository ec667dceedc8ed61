"""The control side's state: what the configuration file defines and what the API made, published together.

Every change goes one way: a transaction on the records, the configuration of all records, a plan, ports that are bound, the
store, and then - between two events of the loop - what is shown and what carries traffic.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from lb.model.config import Config
from lb.net.discovery import Discovery
from lb.net.tasks import Tasks
from lb.proxy.ports import Ports, Prepared
from lb.resources.file_records import records_of
from lb.resources.records import Change, Kind, Record, Records, Transaction
from lb.resources.traffic import Traffic
from lb.routing.plan import Compiler, Plan, PlanError
from lb.store.store import ConflictError, Store, StoreError

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
# Other balancers that share the store may be quicker a few times in a row, not for ever.
_MOST_ATTEMPTS: Final = 20
_FIRST_WAIT_S: Final = 0.005
_LONGEST_WAIT_S: Final = 0.5
_FOLLOW_EVERY_S: Final = 0.25
# What the configuration is made of; other records come and go without a new plan.
_OF_TRAFFIC: Final = frozenset(
    {
        Kind.LOAD_BALANCER,
        Kind.LISTENER,
        Kind.RULE,
        Kind.TARGET_GROUP,
        Kind.TARGET,
        Kind.SECURITY_GROUP_RULE,
        Kind.SUBNET,
        Kind.INSTANCE,
    }
)


class BusyError(Exception):
    """Other balancers changed the shared store again and again while a change was made. Nothing was written."""


class Control:
    """Owns records, configuration and plan.

    `publish` hears of each new configuration with its plan, and must take them over at once; `changed` of each change of
    records.
    """

    def __init__(
        self,
        store: Store,
        ports: Ports,
        discovery: Discovery,
        traffic: Traffic,
        publish: Callable[[Config, Plan], None],
        changed: Callable[[], None],
    ) -> None:
        self.records = Records()
        self.config = Config()
        self.plan = Plan()
        self._store = store
        self._ports = ports
        self._discovery = discovery
        self._traffic = traffic
        self._compiler = Compiler()
        self._publish = publish
        self._changed = changed
        self._file = Config()
        self._version = 0
        self._lock = asyncio.Lock()
        self._closing = False
        self._tasks = Tasks()

    async def open(self, file: Config) -> None:
        """Reads the store and serves what it and the file hold.

        Raises StoreError, PortTakenError (a port of the file's listeners), PlanError.
        """
        loaded = await self._store.open()
        self.records = Records(loaded.records)
        self._version = loaded.version
        await self.apply_file(file)
        self._tasks.spawn(self._follow(), name="follow the store")

    async def apply_file(self, file: Config) -> None:
        """Makes this what the file defines; all of it or, when an error is raised, nothing.

        Requests in flight end under the old configuration. Raises PortTakenError, PlanError.
        """
        async with self._lock:
            prepared, config = await self._prepare(Transaction(self.records), file)
            self._file = file
            self.records.replace_file(records_of(file))
            await self._take_over(config, prepared)

    async def transact(self, work: Callable[[Transaction], _T]) -> _T:
        """Runs `work`, and carries out and keeps what it changed before it returns; all of it, or nothing on any error.

        `work` may run again on newer records. Raises what it raises, PlanError, StoreError, BusyError.
        """
        async with self._lock:
            for attempt in range(_MOST_ATTEMPTS):
                records = Transaction(self.records)
                result = work(records)
                if not records.changes:
                    return result
                try:
                    await self._commit(records)
                except ConflictError:
                    # Who is quick again and again must let the others pass: each waits by chance, longer every time.
                    await asyncio.sleep(random.random() * min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**attempt))  # noqa: S311
                    await self._catch_up()
                else:
                    return result
        raise BusyError("other balancers that share the store are changing it all the time; try again")

    async def _commit(self, records: Transaction) -> None:
        changes = records.changes
        if not _concern_traffic(changes):
            self._version = await self._store.commit(self._version, changes)
            self._apply(changes)
            return
        prepared, config = await self._prepare(records, self._file)
        try:
            self._version = await self._store.commit(self._version, changes)
        except BaseException:
            prepared.abandon()
            raise
        self._apply(changes)
        await self._take_over(config, prepared)

    async def _prepare(self, records: Transaction, file: Config) -> tuple[Prepared, Config]:
        made = self._traffic.config_of(records, self._is_from_file)
        config = Config((*file.load_balancers, *made.load_balancers), (*file.target_groups, *made.target_groups))
        # A pause, in which the traffic has its turn.
        await asyncio.sleep(0)
        addresses = await self._discovery.look_up(config.names)
        plan = self._compiler.compile(config, addresses)
        optional = {listener.arn for balancer in made.load_balancers for listener in balancer.listeners}
        prepared = self._ports.prepare(plan, optional)
        self._discovery.watch(config.names, addresses)
        return prepared, config

    def _apply(self, changes: Sequence[Change]) -> None:
        self.records.apply(changes)
        self._changed()

    def _is_from_file(self, record: Record) -> bool:
        return self.records.is_from_file(record.key)

    async def _take_over(self, config: Config, prepared: Prepared) -> None:
        if self._closing:
            prepared.abandon()
            return
        # Up to the first await nobody else runs: what is shown and what carries traffic change together.
        self.config = config
        self.plan = prepared.plan
        self._ports.commit(prepared)
        self._publish(config, prepared.plan)
        await self._ports.start()

    def port_failure(self, port: int) -> str | None:
        """Why a listener's port is not bound, None where it is."""
        return self._ports.failure(port)

    def addresses_changed(self) -> None:
        """Names of targets stand for other addresses now."""
        if not self._closing:
            self._tasks.spawn(self._take_addresses(), name="publish addresses")

    async def _take_addresses(self) -> None:
        async with self._lock:
            plan = self._compiler.compile(self.config, self._discovery.known(self.config.names))
            await self._take_over(self.config, self._ports.prepare(plan, {each.arn for each in plan.listeners}))

    async def _follow(self) -> None:
        """Takes over what other balancers write to the store that they share."""
        failed = ""
        while True:
            await asyncio.sleep(_FOLLOW_EVERY_S)
            try:
                async with self._lock:
                    await self._catch_up()
            except (StoreError, PlanError) as error:
                if str(error) != failed:
                    _log.error("what other balancers changed is not known: %s", error)
                failed = str(error)
            else:
                failed = ""

    async def _catch_up(self) -> None:
        version, changes = await self._store.changes_since(self._version)
        if changes:
            self._apply(changes)
            prepared, config = await self._prepare(Transaction(self.records), self._file)
            await self._take_over(config, prepared)
        self._version = version

    def end(self) -> None:
        """Publishes nothing from now on: what is still changed is only kept."""
        self._closing = True

    async def close(self) -> None:
        """Ends; comes after `end`."""
        await self._tasks.close()
        await self._store.close()


def _concern_traffic(changes: Sequence[Change]) -> bool:
    return any(change.key[0] in _OF_TRAFFIC for change in changes)
