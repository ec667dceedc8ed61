"""A description as a bash script of AWS CLI calls."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any, Final

from lb.export.calls import MADE, ApiCall, calls
from lb.export.description import Description
from lb.export.names import Ref, one_line

_HEAD: Final = """\
#!/usr/bin/env bash
# Makes what was exported from lb, with the AWS CLI. What it is given stands below: set the variables to ids of your account.
"""


def script(description: Description) -> str:
    """The whole script; it stops at the first call that fails."""
    return "\n".join(
        [_HEAD + _notes(description), "set -euo pipefail", 'export AWS_PAGER=""', *_lines(description), ""]
    )


def _notes(description: Description) -> str:
    return "".join(f"# Note: {one_line(note)}\n" for note in description.notes)


def _lines(description: Description) -> Iterator[str]:
    for given in description.given:
        name = given.ref.upper
        yield f"\n# {one_line(given.what)}"
        if given.value is None:
            yield f': "${{{name}:?must be set}}"'
        else:
            yield f'if [ -z "${{{name}:-}}" ]; then {name}={shlex.quote(given.value)}; fi'
    for call in calls(description):
        yield ""
        yield _command(call)


def _command(call: ApiCall) -> str:
    words = [f"aws elbv2 {_kebab(call.operation)}", *(_option(name, value) for name, value in call.params.items())]
    if call.makes is None:
        return " \\\n  ".join([*words, "> /dev/null"])
    items, member = MADE[call.operation]
    words.append(f"--query '{items}[0].{member}' --output text")
    return f"{call.makes.upper}=$(" + " \\\n  ".join(words) + ")"


def _kebab(name: str) -> str:
    return re.sub("(?<!^)(?=[A-Z])", "-", name).lower()


def _option(name: str, value: Any) -> str:
    option = _kebab(name)
    if isinstance(value, bool):
        return f"--{option}" if value else f"--no-{option}"
    return f"--{option} {_argument(value)}"


def _argument(value: Any) -> str:
    match value:
        case Ref():
            return f'"${{{value.upper}}}"'
        case str() | int():
            return shlex.quote(str(value))
        case list() if all(isinstance(each, str | Ref) for each in value):
            return " ".join(map(_argument, value))
    return "".join(_quoted(piece) for piece in _joined(_json(value)))


def _quoted(piece: str | Ref) -> str:
    return shlex.quote(piece) if isinstance(piece, str) else _argument(piece)


def _json(value: Any) -> Iterator[str | Ref]:
    """JSON text in pieces; a reference is a piece of its own, within quotes of JSON."""
    match value:
        case Ref():
            yield from ('"', value, '"')
        case dict():
            yield "{"
            for number, (member, each) in enumerate(value.items()):
                yield f"{', ' if number else ''}{json.dumps(member)}: "
                yield from _json(each)
            yield "}"
        case list():
            yield "["
            for number, each in enumerate(value):
                yield ", " if number else ""
                yield from _json(each)
            yield "]"
        case _:
            yield json.dumps(value, ensure_ascii=False)


def _joined(pieces: Iterator[str | Ref]) -> Iterator[str | Ref]:
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        yield text
        yield piece
        text = ""
    yield text
