"""The shape of the package: who may import whom, what pure packages may not touch, and no state in modules.

The picture is in docs/architecture.md. Each finding is a line `file:line: what is wrong`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "lb"

PURE = ("resources", "export", "lessons", "model", "http", "routing", "targets")
_LOWER = {"model", "http", "routing", "targets"}
# Area (package or module right below lb/) -> the other areas that it may import. An area that is missing is a finding.
MAY_IMPORT: dict[str, set[str]] = {
    "model": set(),
    "http": {"model"},
    "routing": {"model", "http"},
    "targets": {"model", "http", "routing"},
    "net": _LOWER,
    "proxy": {*_LOWER, "net"},
    "health": {*_LOWER, "net"},
    "observe": {*_LOWER, "net"},
    "api": {*_LOWER, "lessons", "net", "observe", "resources"},
    "lessons": {"model", "resources"},
    "classroom": {*_LOWER, "api", "compute", "lessons", "net", "resources"},
    "compute": {"model", "net", "resources"},
    "console": {*_LOWER, "net", "observe"},
    "configfile": {"model"},
    "resources": {"model"},
    "demo": set(),
    "export": {"model", "resources"},
    "settings": {"model"},
    "store": {*_LOWER, "net", "resources"},
    "control": {*_LOWER, "net", "proxy", "resources", "store"},
    "live": {*_LOWER, "api", "compute", "control", "proxy", "resources", "store"},
    "adoption": {"api", "compute", "net", "resources"},
    "app": {
        "adoption",
        "classroom",
        "lessons",
        "live",
        *_LOWER,
        "control",
        "net",
        "proxy",
        "health",
        "observe",
        "api",
        "compute",
        "console",
        "configfile",
        "settings",
        "store",
        "resources",
    },
    "cli": {
        *_LOWER,
        "lessons",
        "resources",
        "net",
        "health",
        "observe",
        "api",
        "compute",
        "console",
        "configfile",
        "demo",
        "export",
        "settings",
        "app",
        "store",
    },
}

# Files that decide and do not wait: no event loop, clock, randomness, logging or operating system.
PURE_FILES = (
    "observe/entry.py",
    "observe/status.py",
    "observe/explain.py",
    "observe/why.py",
    "observe/cause.py",
    "observe/cases.py",
    "observe/recent.py",
    "observe/request_view.py",
    "observe/request_filter.py",
    "observe/edges.py",
    "observe/target_names.py",
    "observe/thinned.py",
    "observe/group_notes.py",
    "observe/advice.py",
    "observe/target_health.py",
)
IMPURE = {"asyncio", "logging", "os", "pathlib", "random", "secrets", "selectors", "signal", "socket", "subprocess"} | {
    *("tempfile", "threading", "time", "multiprocessing", "concurrent", "datetime", "uuid")
}
# Turning a given instant into text reads no clock.
HARMLESS = {("observe/entry.py", "time"): {"strftime", "gmtime"}}

MAKES_MUTABLE = {
    "list",
    "dict",
    "set",
    "bytearray",
    "defaultdict",
    "deque",
    "Counter",
    "OrderedDict",
    "count",
    "cycle",
} | {*("WeakSet", "WeakKeyDictionary", "WeakValueDictionary", "ContextVar", "Queue", "Lock", "Event", "Random")}
MUTATORS = {
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "popitem",
    "clear",
    "update",
    "setdefault",
    "add",
    "discard",
} | {
    *(
        "sort",
        "reverse",
        "appendleft",
        "popleft",
        "intersection_update",
        "difference_update",
        "symmetric_difference_update",
    )
}
# The one place that starts tasks: it names them, keeps them and reports their exceptions.
STARTS_TASKS = "net/tasks.py"


def area_of(path: str) -> str:
    """`http` for http/head.py, `app` for app.py."""
    return path.split("/", maxsplit=1)[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every module that is imported, wherever: at the top, inside a function, for type checking only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                yield node.lineno, "." * node.level + (node.module or "")
            else:
                # `from lb import app` imports lb.app, `from lb.http import head` imports lb.http.head.
                for alias in node.names:
                    yield node.lineno, f"{node.module}.{alias.name}"


def wrong_directions(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    area = area_of(path)
    if area == "__init__":
        return
    allowed = MAY_IMPORT.get(area)
    if allowed is None:
        yield 1, f"lb.{area} is not in the picture: say in MAY_IMPORT what it may import"
        return
    for line, module in imports(tree):
        if module.startswith("."):
            yield line, "a relative import"
        elif module.startswith("lb.") and (other := module.split(".")[1]) not in {area, "__version__", *allowed}:
            yield line, f"lb.{area} must not import lb.{other}"


def impurities(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    if area_of(path) not in PURE and path not in PURE_FILES:
        return
    for line, module in imports(tree):
        name, _, rest = module.partition(".")
        if name in IMPURE and not (rest or ((path, name) in HARMLESS and not rest)):
            yield line, f"{path} is pure and must not import {name}"
        elif name in IMPURE and rest and rest not in HARMLESS.get((path, name), ()):
            yield line, f"{path} is pure and must not import {module}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            harmless = HARMLESS.get((path, node.value.id))
            if harmless is not None and node.attr not in harmless:
                yield node.lineno, f"{path} is pure and must not use {node.value.id}.{node.attr}"
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("open", "print", "input")
        ):
            yield node.lineno, f"{path} is pure and must not call {node.func.id}()"


def is_mutable(value: ast.expr | None) -> bool:
    """Whether an expression makes a value that can be changed, or hides one in a tuple."""
    match value:
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Tuple(elts=parts):
            return any(is_mutable(part) for part in parts)
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name in MAKES_MUTABLE
    return False


def is_constant(name: str, annotation: ast.expr | None) -> bool:
    """Said to be one: by the spelling of its name or by Final."""
    return name == name.upper() or (annotation is not None and "Final" in ast.unparse(annotation))


def shared_state(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Values of a module or a class that can change and are shared by everybody.

    A table is fine when it is said to be constant (ALL_CAPS or Final) and nothing in its file changes it.
    """
    constants: set[str] = set()
    bodies = [tree.body, *(node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]
    for statement in (statement for body in bodies for statement in body):
        match statement:
            case ast.Assign(targets=targets, value=value):
                names, annotation = [target.id for target in targets if isinstance(target, ast.Name)], None
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                names = [name]
            case _:
                continue
        for name in names:
            if is_constant(name, annotation):
                constants.add(name)
            elif is_mutable(value) and not name.startswith("__"):
                yield (
                    statement.lineno,
                    f"{name} is shared and can change: give it to who needs it, or make it a constant",
                )
    for node in ast.walk(tree):
        match node:
            case ast.Global(names=names):
                yield node.lineno, f"global {', '.join(names)}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in MUTATORS:
                if name in constants:
                    yield node.lineno, f"{name} is a constant and is changed by {method}()"
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()) if name in constants:
                yield node.lineno, f"{name} is a constant and one of its items is changed"
            case ast.AugAssign(target=ast.Name(id=name)) if name in constants:
                yield node.lineno, f"{name} is a constant and is changed"


def stray_tasks(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    if path == STARTS_TASKS:
        return
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        # A task group's tasks are kept and awaited by the group.
        in_group = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and "group" in node.value.id
        if name in ("create_task", "ensure_future") and not in_group:
            yield node.lineno, f"{name}: use lb.net.tasks.Tasks.spawn"
    for line, module in imports(tree):
        if module in ("asyncio.create_task", "asyncio.ensure_future"):
            yield line, f"{module}: use lb.net.tasks.Tasks.spawn"


CHECKS = (wrong_directions, impurities, shared_state, stray_tasks)


def findings(root: Path) -> list[str]:
    """All that is wrong in the package at `root`, as `file:line: what`."""
    found = []
    for file in sorted(root.rglob("*.py")):
        path = file.relative_to(root).as_posix()
        tree = ast.parse(file.read_text("utf-8"))
        found += [f"lb/{path}:{line}: {what}" for check in CHECKS for line, what in check(path, tree)]
    return found


def test_the_package_keeps_its_shape():
    found = findings(ROOT)
    assert not found, "\n" + "\n".join(found)


def test_the_picture_has_no_area_that_is_gone():
    areas = {area_of(path.relative_to(ROOT).as_posix()) for path in ROOT.rglob("*.py")} - {"__init__"}
    assert areas == set(MAY_IMPORT)
    assert all((ROOT / path).exists() for path in (*PURE_FILES, STARTS_TASKS, *(path for path, _ in HARMLESS)))


def test_the_picture_has_no_circle():
    seen: set[str] = set()
    while rest := MAY_IMPORT.keys() - seen:
        lowest = {area for area in rest if MAY_IMPORT[area] <= seen}
        assert lowest, f"a circle among {sorted(rest)}"
        seen |= lowest


def test_rules_that_the_picture_must_not_lose():
    for area in ("proxy", "health"):
        assert not MAY_IMPORT[area] & {"api", "store", "console", "configfile", "observe"}
    assert not MAY_IMPORT["api"] & {"proxy", "health", "store"}
    assert [area for area, allowed in MAY_IMPORT.items() if "cli" in allowed] == []
    assert [area for area, allowed in MAY_IMPORT.items() if "app" in allowed] == ["cli"]


PLANTED = {
    "a pure package imports a shell": ("http/a.py", "import re\nfrom lb.proxy import node\n", 2),
    "a lower package imports a higher one": ("model/a.py", "from lb.http.head import Rejected\n", 1),
    "http imports routing": ("http/a.py", "import lb.routing.plan\n", 1),
    "the proxy imports the log": ("proxy/a.py", "from lb.observe import entry\n", 1),
    "health imports the API": ("health/a.py", "def f():\n    from lb.api.app import api_app\n", 2),
    "only for type checking": ("api/a.py", "if TYPE_CHECKING:\n    from lb.proxy.node import Node\n", 2),
    "the file format imports more than the model": ("configfile/a.py", "from lb.routing import plan\n", 1),
    "somebody imports the command line": ("app.py", "import lb.cli.main\n", 1),
    "somebody imports the app": ("compute/a.py", "from lb import app\n", 1),
    "a new area": ("elsewhere/a.py", "pass\n", 1),
    "a relative import": ("http/a.py", "from . import head\n", 1),
    "a clock": ("targets/a.py", "from time import monotonic\n", 1),
    "an event loop": ("routing/a.py", "import asyncio\n", 1),
    "a logger": ("http/a.py", "import logging.handlers\n", 1),
    "chance": ("model/a.py", "import random\n", 1),
    "the file system": ("model/a.py", "def f(p):\n    return open(p)\n", 2),
    "a clock in a pure file": ("observe/entry.py", "import time\ntime.strftime('')\ntime.time()\n", 3),
    "a clock imported by name": ("observe/entry.py", "from time import gmtime, monotonic\n", 1),
    "a clock in the other pure file": ("observe/status.py", "import time\n", 1),
    "a list in a module": ("proxy/a.py", "seen = []\n", 1),
    "a typed dict in a module": ("proxy/a.py", "_seen: dict[str, int] = {}\n", 1),
    "a set that is made": ("proxy/a.py", "import x\nseen = set()\n", 2),
    "a counter": ("proxy/a.py", "import itertools\n_ids = itertools.count()\n", 2),
    "a list hidden in a tuple": ("proxy/a.py", "both = ([], 1)\n", 1),
    "a list in a class": ("proxy/a.py", "class A:\n    seen = []\n", 2),
    "a constant that grows": ("proxy/a.py", "SEEN = []\ndef f(x):\n    SEEN.append(x)\n", 3),
    "a constant item by item": ("proxy/a.py", "SEEN = {}\ndef f(x):\n    SEEN[x] = 1\n", 3),
    "a final table that changes": ("proxy/a.py", "seen: Final = {}\ndef f(x):\n    del seen[x]\n", 3),
    "a global": ("proxy/a.py", "_count = 0\ndef f():\n    global _count\n    _count += 1\n", 3),
    "a stray task": ("proxy/a.py", "import asyncio\nasyncio.create_task(f())\n", 2),
    "a stray task of the loop": ("app.py", "loop.create_task(f())\n", 1),
    "a stray task by name": ("health/a.py", "from asyncio import create_task\n", 1),
}


@pytest.mark.parametrize(("path", "text", "line"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_violation_is_found(tmp_path: Path, path: str, text: str, line: int):
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    found = findings(tmp_path)
    assert [each.split(": ", maxsplit=1)[0] for each in found] == [f"lb/{path}:{line}"], found


FINE = {
    "down the picture": ("targets/a.py", "from lb.routing.plan import Plan\nfrom lb.model.config import Config\n"),
    "within an area": ("proxy/a.py", "from lb.proxy.pool import Pool\nimport lb.net.tasks\n"),
    "a table": ("http/a.py", "TABLE = {1: 2}\n_LOW: Final = [1]\nnames: Final[dict[int, str]] = {}\nx = TABLE[1]\n"),
    "values that cannot change": ("http/a.py", "pair = (1, 2)\nT = TypeVar('T')\nsome = frozenset((1, 2))\n"),
    "an instant into text": ("observe/entry.py", "import time\ntime.strftime('%Y', time.gmtime(0))\n"),
    "a shell with a clock": ("proxy/a.py", "import asyncio\nfrom time import monotonic\n"),
    "a list in a function": ("proxy/a.py", "def f():\n    seen = []\n    seen.append(1)\n"),
    "a task group": ("app.py", "async def f(group):\n    group.create_task(g())\n"),
}


@pytest.mark.parametrize(("path", "text"), FINE.values(), ids=FINE.keys())
def test_what_is_allowed_is_not_found(tmp_path: Path, path: str, text: str):
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    assert findings(tmp_path) == []
