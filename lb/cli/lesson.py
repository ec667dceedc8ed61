"""`lb lesson`: the lessons in the terminal, from the routes that the console uses too."""

import json
import locale
import os
from collections.abc import Iterator
from typing import Any, Final

import click

from lb.cli.api_client import ApiClient, RefusedError
from lb.cli.options import api_option, json_option
from lb.model.said import LANGUAGES

Json = dict[str, Any]
_PATH: Final = "/_lb/lessons"
_NOT_DONE: Final = 4
_MARKS: Final = {"done": "[x]", "now": "[>]", "later": "[ ]"}
# What stands around the texts of a lesson.
_WORDS: Final = {
    "en": {
        "not-started": "not started",
        "under-way": "under way",
        "done": "done",
        "missing": "Still missing:",
        "hint": "Hint:",
        "observe": "Watch:",
        "start": "Begin with: lb lesson start {id}",
        "finished": "Done. Clear up with: lb lesson reset {id}",
        "removed": "Removed {count} resources of lesson {id}.",
        "kept": "not removed: {id}: {why}",
        "none": "no lesson is under way; 'lb lesson list' names them",
    },
    "ko": {
        "not-started": "시작 전",
        "under-way": "진행 중",
        "done": "완료",
        "missing": "아직 남은 것:",
        "hint": "힌트:",
        "observe": "눈여겨볼 점:",
        "start": "시작: lb lesson start {id}",
        "finished": "완료했습니다. 정리: lb lesson reset {id}",
        "removed": "실습 {id}의 리소스 {count}개를 삭제했습니다.",
        "kept": "삭제하지 못함: {id}: {why}",
        "none": "진행 중인 실습이 없습니다. 'lb lesson list'로 목록을 볼 수 있습니다",
    },
}


def _language() -> str:
    """The language of the terminal, where lessons speak it."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return next((each for each in LANGUAGES if locale.normalize(name).startswith(each)), LANGUAGES[0])


_lang_option = click.option(
    "--lang", type=click.Choice(LANGUAGES), default=_language, help="Language; that of the terminal."
)


@click.group()
def lesson() -> None:
    """Learn load balancing step by step, on a running 'lb up'.

    \b
    Examples:
      lb lesson list
      lb lesson start 4         makes what lesson 4 needs
      lb lesson check           what is still missing in the lesson under way
      lb lesson reset 4         removes what carries the tag lb:lesson=4
      lb lesson list --lang ko

    \b
    Exit codes: 0 done, 1 the balancer says why not, 2 wrong usage,
    3 no balancer answers, 4 (check) something is still missing.
    """


@lesson.command("list")
@api_option
@_lang_option
@json_option
def list_lessons(api: str, lang: str, as_json: bool) -> None:
    """Show every lesson and how far you are."""
    answer = ApiClient(api).get(f"{_PATH}?lang={lang}")
    if as_json:
        _print(answer)
        return
    for each in answer["lessons"]:
        state = _WORDS[lang][each["state"]]
        click.echo(f"{each['id']:>2}  {each['title']}  ({state}, {each['done']}/{each['step_count']})")
        click.echo(f"    {each['goal']}")


@lesson.command()
@click.argument("lesson_id", metavar="ID")
@api_option
@_lang_option
@json_option
def start(lesson_id: str, api: str, lang: str, as_json: bool) -> None:
    """Begin lesson ID: makes what it needs; begun before, it begins anew."""
    told = ApiClient(api).post(f"{_PATH}/{lesson_id}/start?lang={lang}")
    if as_json:
        _print(told)
    else:
        click.echo("\n".join(_text(told, lang)))


@lesson.command()
@click.argument("lesson_id", metavar="[ID]", required=False)
@api_option
@_lang_option
@json_option
def check(lesson_id: str | None, api: str, lang: str, as_json: bool) -> None:
    """Tell what is still missing in lesson ID, or in the one that was begun last."""
    client = ApiClient(api)
    told = client.get(f"{_PATH}/{lesson_id or _under_way(client, lang)}?lang={lang}")
    if as_json:
        _print(told)
    else:
        click.echo("\n".join(_text(told, lang)))
    if told["state"] != "done":
        raise SystemExit(_NOT_DONE)


@lesson.command()
@click.argument("lesson_id", metavar="ID")
@api_option
@_lang_option
@json_option
def reset(lesson_id: str, api: str, lang: str, as_json: bool) -> None:
    """Remove what carries the tag of lesson ID, and forget how far you were."""
    answer = ApiClient(api).post(f"{_PATH}/{lesson_id}/reset")
    if as_json:
        _print(answer)
        return
    words = _WORDS[lang]
    click.echo(words["removed"].format(count=len(answer["removed"]), id=lesson_id))
    for resource, why in answer["kept"].items():
        click.echo(words["kept"].format(id=resource, why=why))


@lesson.command()
@click.option("--user", default="root", envvar="LB_DB_USER", show_envvar=True, show_default=True, help="Who logs in.")
@click.option("--password", default="", envvar="LB_DB_PASSWORD", show_envvar=True, help="The user's password.")
@click.option("--database", default=None, envvar="LB_DB_NAME", show_envvar=True, help="The database to use.")
@api_option
@_lang_option
@json_option
def database(user: str, password: str, database: str | None, api: str, lang: str, as_json: bool) -> None:
    """Ask the database as the web server of lesson 1 would; exit code 1 where that fails."""
    login = {"user": user, "password": password, "database": database}
    found = ApiClient(api).post(f"{_PATH}/database", login)
    if as_json:
        _print(found)
    else:
        click.echo("\n".join(filter(None, (found["message"], found["cause"], found["next_step"]))))
    if found["outcome"] != "ok":
        raise SystemExit(1)


def _under_way(client: ApiClient, lang: str) -> str:
    under_way = [each for each in client.get(f"{_PATH}?lang={lang}")["lessons"] if each["state"] == "under-way"]
    if not under_way:
        raise RefusedError(404, "no-lesson", _WORDS[lang]["none"])
    last: str = max(under_way, key=lambda each: each["started_s"])["id"]
    return last


def _text(told: Json, lang: str) -> Iterator[str]:
    words = _WORDS[lang]
    yield f"{told['id']}. {told['title']}  ({words[told['state']]}, {told['done']}/{told['step_count']})"
    if told["state"] == "not-started":
        yield from ("", told["goal"], "", told["explanation"], "", words["start"].format(id=told["id"]))
        return
    if not told["done"]:
        yield from ("", told["explanation"])
    for step in told["steps"]:
        yield ""
        yield f"{_MARKS[step['state']]} {step['title']}"
        if step["state"] == "now":
            yield from _step(step, words)
    yield from ("", f"{words['observe']} {told['observe']}")
    if told["state"] == "done":
        yield from ("", words["finished"].format(id=told["id"]))


def _step(step: Json, words: dict[str, str]) -> Iterator[str]:
    yield from (f"    {line}" for line in step["text"].splitlines())
    yield from ("", *(f"      {line}" for line in step["cli"].splitlines()), "")
    yield f"    {step['console']}"
    yield from (f"    {words['hint']} {hint}" for hint in step["hints"])
    yield f"    {words['missing']}"
    yield from (f"      - {text}" for text in step["missing"])


def _print(value: Json) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
