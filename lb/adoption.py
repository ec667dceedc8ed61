"""Keeps the records in step with the containers of a Docker engine that ask to be targets."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from lb.api.call import ApiError
from lb.api.calls import Calls
from lb.api.ec2.adopting import adopt
from lb.compute.containers import DockerError, list_containers
from lb.compute.instances import Instances
from lb.net.tasks import Tasks
from lb.resources.containers import Container

_LOOK_EVERY_S: Final = 2.0
_log = logging.getLogger(__name__)


class Adoption:
    """Asks the engine at the socket `docker` again and again; its containers belong to `region`."""

    def __init__(self, docker: Path, calls: Calls, region: str, instances: Instances) -> None:
        self._docker = docker
        self._calls = calls
        self._region = region
        self._instances = instances
        self._tasks = Tasks()

    def start(self) -> None:
        """Begins to look; needs a running event loop."""
        self._tasks.spawn(self._run(), name="adopt containers")

    async def _run(self) -> None:
        failed = ""
        while True:
            try:
                await self.look()
            except (ApiError, DockerError) as error:
                if str(error) != failed:
                    _log.error("containers are not adopted: %s", error)
                failed = str(error)
            else:
                failed = ""
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self) -> None:
        """Looks once. Raises DockerError, ApiError."""
        found: list[Container] = await asyncio.to_thread(list_containers, self._docker)
        self._instances.containers_run(each.id for each in found if each.running)
        await self._calls.together(self._region, lambda call: adopt(call, found))

    async def close(self) -> None:
        """Stops looking."""
        await self._tasks.close()
