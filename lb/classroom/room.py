"""The lessons of a running balancer: start, watch, clear up.

While a lesson is under way it is judged twice a second, so that a state that was reached counts though it has passed since.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from time import time
from typing import Any, Final

from lb.api.call import Live
from lb.api.calls import Calls
from lb.api.lessons import CannotBeginError, UnknownLessonError
from lb.classroom import observing
from lb.classroom.preparing import prepare
from lb.classroom.progress_file import ProgressFile
from lb.classroom.removing import Removed, remove
from lb.compute.database import DatabaseSettings, check_database
from lb.compute.firewall import dropped
from lb.http.record import RequestRecord
from lb.lessons import view
from lb.lessons.engine import Progress, Verdict, begin, judge
from lb.lessons.lesson import Lesson
from lb.lessons.snapshot import Asked, Snapshot
from lb.model.said import Language
from lb.net.tasks import Tasks
from lb.resources.databases import blocks_database
from lb.resources.records import Kind, Records, Transaction

_LOOK_EVERY_S: Final = 0.5
_MOST_ASKED: Final = 100
_ASK_WITHIN_S: Final = 3.0
_HTTP: Final = 80
_log = logging.getLogger(__name__)


class Classroom:
    """All lessons and the progress in them; resources are made in `region`.

    `recent` gives the requests that came since an instant (epoch seconds), oldest first, as many as are kept; `bound_port`
    tells where a listener's port is found.
    """

    def __init__(
        self,
        lessons: Mapping[str, Lesson],
        file: ProgressFile,
        calls: Calls,
        live: Live,
        *,
        records: Callable[[], Records],
        recent: Callable[[float], Iterable[RequestRecord]],
        place: observing.PlaceOf,
        bound_port: Callable[[int], int | None],
        region: str,
        security_groups: bool,
    ) -> None:
        self._lessons = lessons
        self._file = file
        self._calls = calls
        self._live = live
        self._records = records
        self._recent = recent
        self._place = place
        self._bound_port = bound_port
        self._region = region
        self._security_groups = security_groups
        self._progress: dict[str, Progress] = {}
        self._asked: list[Asked] = []
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._tasks = Tasks()

    def open(self) -> None:
        """Takes up what was under way, and begins to watch."""
        self._progress = {key: value for key, value in self._file.read().items() if key in self._lessons}
        self._wake.set()
        self._tasks.spawn(self._watch(), name="watch lessons")

    def list(self, language: Language) -> list[dict[str, Any]]:
        """Every lesson in short (`lb.lessons.view.summary`)."""
        return [view.summary(lesson, self._progress.get(lesson.id), language) for lesson in self._lessons.values()]

    async def show(self, lesson_id: str, language: Language) -> dict[str, Any]:
        """A lesson with what is missing now (`lb.lessons.view.details`). Raises UnknownLessonError."""
        lesson = self._lesson(lesson_id)
        return view.details(lesson, await self._judge(lesson), language, self._url(lesson))

    async def start(self, lesson_id: str) -> None:
        """Begins a lesson, anew where it was begun before. Raises UnknownLessonError, CannotBeginError, ApiError."""
        lesson = self._lesson(lesson_id)
        if lesson.prepare.database and not self._security_groups:
            raise CannotBeginError("this lesson needs security groups: start the balancer without --no-security-groups")
        async with self._lock:
            await self._clear(lesson_id)
            try:
                await prepare(lesson, self._calls, self._live, self._region)
            except Exception:
                await self._clear(lesson_id)
                raise
            self._keep(lesson_id, begin(time()))
        self._wake.set()

    async def reset(self, lesson_id: str) -> dict[str, Any]:
        """Removes what carries the lesson's tag, and its progress; `removed` are ids, `kept` why others are not by id.

        Raises UnknownLessonError.
        """
        self._lesson(lesson_id)
        async with self._lock:
            return asdict(await self._clear(lesson_id))

    async def _clear(self, lesson_id: str) -> Removed:
        self._keep(lesson_id, None)
        return await remove(lesson_id, self._calls, self._records())

    async def ask_database(self, user: str, password: str, database: str | None) -> dict[str, Any]:
        """Asks the configured database, as the web server of the lesson would; the outcome counts for lessons.

        Raises CannotBeginError where there is none.
        """
        endpoint = self._live.database_endpoint()
        if endpoint is None:
            raise CannotBeginError("no MySQL server is configured: start the balancer with LB_DB_HOST set to one")
        host, port = endpoint
        settings = DatabaseSettings(host, user, port, password, database)
        reach = dropped if self._is_blocked(port) else check_database
        found = await reach(settings, _ASK_WITHIN_S)
        self._asked = [*self._asked[-_MOST_ASKED:], Asked(time(), str(found.outcome), found.message)]
        return asdict(found)

    def _lesson(self, lesson_id: str) -> Lesson:
        if lesson_id not in self._lessons:
            raise UnknownLessonError(lesson_id)
        return self._lessons[lesson_id]

    def _is_blocked(self, port: int) -> bool:
        """Whether DB instances keep out the web server that asks; where there is none, nobody is kept out."""
        lesson = next((each for each in self._lessons.values() if each.prepare.database), None)
        if lesson is None or not self._security_groups:
            return False
        records = self._records()
        seen = Snapshot(lesson.id, Transaction(records), instances=observing.instance_states(self._live, records))
        server = seen.server(lesson.prepare.servers[0].name)
        return server is not None and blocks_database(records, server, port)

    def _url(self, lesson: Lesson) -> str:
        """Where the lesson's load balancer is found; a word in its place while there is none."""
        name = lesson.url_of or lesson.prepare.load_balancer
        balancer = Snapshot(lesson.id, Transaction(self._records())).load_balancer(name) if name else None
        if balancer is None:
            return "http://DNS-NAME"
        listener = next(iter(self._records().children(Kind.LISTENER, balancer.id)), None)
        port = self._bound_port(listener.shape["Port"]) if listener is not None else None
        where = f":{port}" if port not in (None, _HTTP) else ""
        return f"http://{balancer.shape['DNSName']}{where}"

    async def _watch(self) -> None:
        while True:
            await self._wake.wait()
            under_way = [each for each in self._lessons.values() if self._is_under_way(each)]
            if not under_way:
                self._wake.clear()
                continue
            for lesson in under_way:
                await self._judge(lesson)
            await asyncio.sleep(_LOOK_EVERY_S)

    def _is_under_way(self, lesson: Lesson) -> bool:
        progress = self._progress.get(lesson.id)
        return progress is not None and progress.done < len(lesson.steps)

    async def _judge(self, lesson: Lesson) -> Verdict | None:
        if lesson.id not in self._progress:
            return None
        pages = {}
        if lesson.uses("page_says") and self._is_under_way(lesson):
            pages = await observing.front_pages(self._live, self._records(), self._place)
        progress = self._progress.get(lesson.id)
        if progress is None:
            return None
        verdict = judge(lesson, progress, self._snapshot(lesson, progress.step_began_s, pages), time())
        if verdict.progress != progress:
            self._keep(lesson.id, verdict.progress)
        return verdict

    def _snapshot(self, lesson: Lesson, since_s: float, pages: Mapping[str, str]) -> Snapshot:
        records = self._records()
        database = self._live.database_endpoint()
        return Snapshot(
            lesson.id,
            Transaction(records),
            observing.targets_of(self._calls, records),
            observing.instance_states(self._live, records),
            observing.image_states(self._live, records),
            pages,
            observing.answered(self._recent(since_s), records, self._place),
            self._asked,
            database[1] if database is not None else None,
        )

    def _keep(self, lesson_id: str, progress: Progress | None) -> None:
        """Keeps the progress of a lesson; None forgets it."""
        self._progress.pop(lesson_id, None)
        if progress is not None:
            self._progress[lesson_id] = progress
        try:
            self._file.write(self._progress)
        except OSError as error:
            _log.error("the progress of lesson %s is not kept: %s", lesson_id, error)

    async def close(self) -> None:
        """Stops watching."""
        await self._tasks.close()
