"""YAML text to plain data, together with the line every value stands on.

Reads YAML by the 1.2 core schema rather than PyYAML's 1.1: `on`, `no` and `10:30` stay text, which matters where ELB's own
values are words such as `off`. Mapping keys are always text, as written. Knows nothing of what a configuration means.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from lb.configfile.problems import ConfigError, KeyPath, Problem, dotted, shown

_TAG = "tag:yaml.org,2002:"
# YAML 1.2.2 section 10.3.2.
_CORE_SCHEMA = (
    ("null", re.compile(r"~|null|Null|NULL|")),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("int", re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")),
    ("float", re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)")),
    ("float", re.compile(r"\.(?:nan|NaN|NAN)")),
)
# Longer numbers stay text: none is in any range here, and int() and str() refuse some of them.
_LONGEST_NUMBER = 40
# Aliases can multiply a small file into gigabytes ("billion laughs").
_MOST_ALIASED_VALUES = 100_000
_NOT_TEXT = "holds half a character (an escape from \\ud800 to \\udfff)"


@dataclass(frozen=True, slots=True)
class Document:
    """`data` holds only dict (keys are str), list, str, int, float, bool and None.

    `problems` did not prevent reading on; values that could not be read are None, and their paths are in `unreadable`.
    """

    file: str
    data: object
    lines: Mapping[KeyPath, int]
    problems: tuple[Problem, ...]
    unreadable: frozenset[KeyPath]

    def line_of(self, path: KeyPath) -> int:
        """Line of a key or list item; for one that is not in the file, of what should have held it."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def problem(self, path: KeyPath, message: str) -> Problem:
        """A problem at a key path of this document."""
        return Problem(self.file, self.line_of(path), dotted(path), message)


def parse_document(text: str, file: str) -> Document:
    """Reads one YAML document; an empty one has None as data. Raises ConfigError where YAML itself cannot be read on."""
    line = 1
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        except (ValueError, OverflowError) as error:
            # PyYAML lets these through for an escape beyond Unicode ("\UFFFFFFFF") and absurd numbers in directives.
            line = loader.get_mark().line + 1
            raise ConfigError([Problem(file, line, "", "not YAML: an escape or number is out of range")]) from error
        finally:
            loader.dispose()
        return _Conversion(file).document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else line
        raise ConfigError([Problem(file, line, "", _syntax_message(error))]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"not YAML: the character U+{_code(error.character):04X} is not allowed"
        raise ConfigError([Problem(file, line, "", message)]) from error
    except RecursionError as error:
        raise ConfigError([Problem(file, line, "", "nested too deeply")]) from error


def _code(character: int | str) -> int:
    return character if isinstance(character, int) else ord(character)


class _Loader(yaml.SafeLoader):
    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: object) -> str:
        if kind is yaml.ScalarNode and isinstance(implicit, tuple) and implicit[0]:
            return _TAG + _core_type(value or "")
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        return tag


def _core_type(text: str) -> str:
    if len(text) > _LONGEST_NUMBER:
        return "str"
    return next((name for name, pattern in _CORE_SCHEMA if pattern.fullmatch(text)), "str")


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    what = error.problem or error.context or "unreadable"
    message = f"not YAML: {what}"
    if error.context and error.problem:
        message += f" ({error.context})"
    if "'\\t'" in what:
        message += "; indent with spaces, not tabs"
    if "mapping values are not allowed" in what:
        message += "; check the indentation, and quote text that holds ': '"
    return message


class _Conversion:
    """One walk over the nodes of a document."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[KeyPath, int] = {(): 1}
        self._problems: list[Problem] = []
        self._unreadable: set[KeyPath] = set()
        self._seen: set[int] = set()
        self._open: set[int] = set()
        self._aliased = 0

    def document(self, root: yaml.Node | None) -> Document:
        data = None if root is None else self._value(root, ())
        return Document(self._file, data, self._lines, tuple(self._problems), frozenset(self._unreadable))

    def _report(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        self._problems.append(Problem(self._file, node.start_mark.line + 1, dotted(path), message))

    def _refuse(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        self._unreadable.add(path)
        self._report(node, path, message)

    def _value(self, node: yaml.Node, path: KeyPath) -> object:
        if id(node) in self._open:
            self._refuse(node, path, "an alias (*) must not stand inside the value it repeats")
            return None
        if id(node) in self._seen:
            self._aliased += 1
            if self._aliased > _MOST_ALIASED_VALUES:
                message = f"aliases (*) repeat more than {_MOST_ALIASED_VALUES} values"
                raise ConfigError([Problem(self._file, node.start_mark.line + 1, dotted(path), message)])
        self._seen.add(id(node))
        self._open.add(id(node))
        try:
            match node:
                case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
                    return self._mapping(node, path)
                case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
                    return self._sequence(node, path)
                case yaml.ScalarNode():
                    return self._scalar(node, path)
            self._refuse(node, path, f"the YAML tag {shown(node.tag)} is not supported; remove it")
            return None
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(key_node, path, "a key must be plain text, not a list or mapping")
                continue
            key = key_node.value
            key_path = (*path, key)
            if not _is_text(key):
                self._report(key_node, key_path, _NOT_TEXT)
            elif key == "<<" and key_node.style is None:
                self._report(key_node, key_path, "merging ('<<') is not supported; write the keys out")
            elif key in values:
                self._report(key_node, key_path, f"is given twice; the first is on line {self._lines[key_path]}")
            else:
                self._lines[key_path] = key_node.start_mark.line + 1
                values[key] = self._value(value_node, key_path)
        return values

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[object]:
        items: list[object] = []
        for position, item in enumerate(node.value):
            item_path = (*path, position)
            self._lines[item_path] = item.start_mark.line + 1
            items.append(self._value(item, item_path))
        return items

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> object:
        text: str = node.value
        kind = node.tag.removeprefix(_TAG)
        if not _is_text(text):
            self._refuse(node, path, _NOT_TEXT)
            return None
        if kind == "str":
            return text
        if kind != _core_type(text):
            self._refuse(node, path, f"the YAML tag {shown(node.tag)} does not fit {shown(text)}; remove it")
            return None
        return _typed(kind, text)


def _is_text(text: str) -> bool:
    """False for lone surrogates, which a YAML escape can make and nothing can encode."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _typed(kind: str, text: str) -> int | float | bool | None:
    match kind:
        case "int":
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        case "float":
            # YAML writes .inf and .nan, Python inf and nan.
            return float(re.sub(r"\.(?=[in])", "", text.lower()))
        case "bool":
            return text.lower() == "true"
        case _:
            return None
