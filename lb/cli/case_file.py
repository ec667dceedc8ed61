"""Reads the table of cases of `lb test`: YAML in, cases out, problems with file, line and key as in `lb.yaml`."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from lb.configfile.document import Document, parse_document
from lb.configfile.nodes import Node, read_value
from lb.configfile.problems import ConfigError, Problem
from lb.observe.cases import Case, Expected

_FILE: Final = "a mapping with cases and perhaps config"
_CONFIG: Final = "the path of a configuration file"
_CASES: Final = "a list of cases, each with name, request and expect"
_CASE: Final = "a mapping with name, request, expect and perhaps headers and from"
_REQUEST: Final = "a method and a URL, such as 'GET http://shop.example:8080/cart?x=1'"
_HEADERS: Final = "a mapping of header names to values"
_EXPECT: Final = "a mapping with one or more of rule, target_group, redirect and status"
_GROUP: Final = "the name of a target group, or a mapping of names to weights"
_FROM: Final = "an IP address such as 203.0.113.9"
_DEFAULT_CLIENT: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class CaseFile:
    """`config` is the configuration to ask, as the file names it; None for a running balancer."""

    config: Path | None
    cases: tuple[Case, ...]


def load_cases(path: Path) -> CaseFile:
    """Reads a file. Raises lb.configfile.problems.ConfigError with every problem found."""
    file = str(path)
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError([Problem(file, None, "", f"cannot be read: {error.strerror or error}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(file, None, "", "not UTF-8 text; save the file as UTF-8")]) from error
    document = parse_document(text, file)
    if document.data is None and not document.problems:
        raise ConfigError([Problem(file, 1, "", f"the file is empty; it must be {_FILE}")])
    try:
        read = read_value(_Reading(document).file, document.data)
    except ValidationError as error:
        found = [
            document.problem(each["loc"], each["msg"])
            for each in error.errors(include_url=False)
            if each["loc"] not in document.unreadable
        ]
        raise ConfigError([*document.problems, *found]) from error
    if document.problems or read is None:
        raise ConfigError(document.problems)
    return read


class _Reading:
    """One walk over a document. What returns None has said on its node why."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def file(self, node: Node) -> CaseFile | None:
        fields = node.fields(_FILE, ("config", "cases"), ("cases",))
        if fields is None:
            return None
        config = None
        if "config" in fields:
            text = fields["config"].text(_CONFIG)
            if text == "":
                fields["config"].refuse_kind(_CONFIG)
            config = Path(self._document.file).parent / text if text else None
        given = fields["cases"]
        if not isinstance(given.value, list):
            given.refuse_kind(_CASES)
            return None
        cases = [self._case(each, position) for position, each in enumerate(given.listed(_CASES))]
        return CaseFile(config, tuple(case for case in cases if case is not None))

    def _case(self, node: Node, position: int) -> Case | None:
        fields = node.fields(_CASE, ("name", "request", "headers", "from", "expect"), ("name", "request", "expect"))
        if fields is None:
            return None
        name = fields["name"].text("text that says what the case is about", numbers=True)
        asked = _request(fields["request"])
        headers = _optional(fields, "headers", _headers, ())
        client_ip = _optional(fields, "from", _client, _DEFAULT_CLIENT)
        expected = _expected(fields["expect"])
        if name is None or asked is None or headers is None or client_ip is None or expected is None:
            return None
        line = self._document.line_of(("cases", position))
        method, url = asked
        return Case(name, method, url, headers, client_ip, expected, line)


def _optional(fields: dict[str, Node], key: str, read: Callable[[Node], Any], default: Any) -> Any:
    return read(fields[key]) if key in fields else default


def _request(node: Node) -> tuple[str, str] | None:
    text = node.text(_REQUEST)
    if text is None:
        return None
    method, _, url = text.strip().partition(" ")
    url = url.strip()
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not method or not usable or any(character.isspace() for character in url):
        node.refuse_kind(_REQUEST)
        return None
    return method, url


def _headers(node: Node) -> tuple[str, ...] | None:
    lines: list[str] = []
    nodes = node.items(_HEADERS)
    if nodes is None:
        return None
    whole = True
    for name, each in nodes.items():
        for item in each.listed("text or a list of texts"):
            text = item.text("text or a list of texts", numbers=True)
            if text is not None and ("\n" in text or "\r" in text):
                item.refuse("must not hold line breaks; give several values as a list")
                text = None
            whole = whole and text is not None
            lines.append(f"{name}: {text}")
    return tuple(lines) if whole else None


def _client(node: Node) -> str | None:
    text = node.text(_FROM)
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        node.refuse_kind(_FROM)
        return None


def _expected(node: Node) -> Expected | None:
    fields = node.fields(_EXPECT, ("rule", "target_group", "redirect", "status"))
    if fields is None:
        return None
    values = {
        "rule": _optional(fields, "rule", _rule, None),
        "groups": _optional(fields, "target_group", _groups, None),
        "redirect": _optional(fields, "redirect", lambda each: each.text("the URL that the client is sent to"), None),
        "status": _optional(fields, "status", lambda each: each.number("a status code without quotes"), None),
    }
    return Expected(**values) if len(fields) == sum(value is not None for value in values.values()) else None


def _rule(node: Node) -> int | str | None:
    return node.value if node.value == "default" else node.number("the priority of a rule, or default")


def _groups(node: Node) -> dict[str, int | None] | None:
    if isinstance(node.value, str):
        return {node.value: None}
    weights = {name: each.number("a weight without quotes") for name, each in (node.items(_GROUP) or {}).items()}
    return weights if weights and None not in weights.values() else None
