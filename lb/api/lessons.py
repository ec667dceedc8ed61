"""Lessons over HTTP: what `lb lesson` and the console ask of a running balancer (docs/lessons.md).

    GET  /_lb/lessons?lang=ko            {"lessons": [...]}, each as `lb.lessons.view.summary` has it
    GET  /_lb/lessons/4?lang=ko          one as `lb.lessons.view.details` has it: its steps, and what is missing now
    POST /_lb/lessons/4/start?lang=ko    prepares and begins it; answers it
    POST /_lb/lessons/4/reset            removes what carries its tag: {"removed": [...], "kept": {id: why}}
    POST /_lb/lessons/database           {"user", "password", "database"}: asks the database as the lesson's web server

An error is `{"error": {"code", "message"}}`: 400 for another language or no JSON, 404 for an unknown lesson, 409 where a
lesson cannot begin.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from lb.api.call import ApiError
from lb.api.language import language_of
from lb.api.refusal import refusal
from lb.model.said import Language

_MOST_BODY: Final = 16 * 1024


class UnknownLessonError(LookupError):
    """There is no lesson with this id."""

    def __init__(self, lesson_id: str) -> None:
        super().__init__(f"there is no lesson {lesson_id}; 'lb lesson list' names them")


class CannotBeginError(Exception):
    """A lesson, or a question of it, for which something is not there; the message says what to do."""


class Lessons(Protocol):
    """See `lb.classroom.room.Classroom`."""

    def list(self, language: Language) -> list[dict[str, Any]]:
        """Every lesson in short."""
        ...

    async def show(self, lesson_id: str, language: Language) -> dict[str, Any]:
        """One lesson. Raises UnknownLessonError."""
        ...

    async def start(self, lesson_id: str) -> None:
        """Prepares and begins one. Raises UnknownLessonError, CannotBeginError, ApiError."""
        ...

    async def reset(self, lesson_id: str) -> dict[str, Any]:
        """Clears up. Raises UnknownLessonError."""
        ...

    async def ask_database(self, user: str, password: str, database: str | None) -> dict[str, Any]:
        """Asks the database. Raises CannotBeginError."""
        ...


class _BadRequestError(Exception):
    """What was asked is not clear."""


def lesson_routes(lessons: Lessons) -> list[BaseRoute]:
    """Routes for `lessons`, to be mounted at the root of the API."""

    async def show_all(request: Request) -> Any:
        return {"lessons": lessons.list(language_of(request))}

    async def show(request: Request) -> Any:
        return await lessons.show(request.path_params["lesson"], language_of(request))

    async def start(request: Request) -> Any:
        language = language_of(request)
        await lessons.start(request.path_params["lesson"])
        return await lessons.show(request.path_params["lesson"], language)

    async def reset(request: Request) -> Any:
        return await lessons.reset(request.path_params["lesson"])

    async def ask_database(request: Request) -> Any:
        user, password, database = await _login(request)
        return await lessons.ask_database(user, password, database)

    return [
        Route("/_lb/lessons", _answering(show_all), methods=["GET"]),
        Route("/_lb/lessons/database", _answering(ask_database), methods=["POST"]),
        Route("/_lb/lessons/{lesson}", _answering(show), methods=["GET"]),
        Route("/_lb/lessons/{lesson}/start", _answering(start), methods=["POST"]),
        Route("/_lb/lessons/{lesson}/reset", _answering(reset), methods=["POST"]),
    ]


def _answering(work: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        try:
            return JSONResponse(await work(request))
        except _BadRequestError as error:
            return refusal(400, "bad-request", str(error))
        except UnknownLessonError as error:
            return refusal(404, "unknown-lesson", str(error))
        except CannotBeginError as error:
            return refusal(409, "cannot-begin", str(error))
        except ApiError as error:
            return refusal(409, error.code, error.message)

    return respond


async def _login(request: Request) -> tuple[str, str, str | None]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BODY:
            raise _BadRequestError("the body is too large")
    try:
        given = json.loads(body)
    except ValueError:
        raise _BadRequestError("the body must be JSON") from None
    match given:
        case {"user": str(user), "password": str(password), **rest} if not rest.keys() - {"database"}:
            database = rest.get("database")
            if database is None or isinstance(database, str):
                return user, password, database
    raise _BadRequestError("the body must have user, password and perhaps database, all of them text")
