"""Whatever the file holds, the reader answers with a Config or a ConfigError."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lb.configfile.address import parse_address
from lb.configfile.problems import ConfigError
from lb.configfile.reader import read_config
from lb.model.attributes import TABLE
from lb.model.config import Config, Target

GOOD = """\
load_balancers:
  web:
    attributes: {idle_timeout.timeout_seconds: 60}
    listeners:
      - port: 8080
        rules:
          - priority: 1
            conditions: {path-pattern: ["/a*", {regex: "^/b"}], query-string: {key: a, value: b}}
            transforms: {url-rewrite: {regex: "^/a(.*)", replace: "/$1"}}
            action: {redirect: {status_code: 301, host: b.example}}
        forward: {target_groups: {web-servers: 9, canary: 1}, stickiness: 60}
target_groups:
  canary: {targets: [{target: "web3:80", zone: us-east-1a}]}
  web-servers:
    health_check: {path: /health.php, interval: 5, timeout: 2, matcher: "200-299"}
    targets: ["web1:80", "[::1]:81"]
"""

WORDS = [
    "load_balancers",
    "target_groups",
    "web",
    "listeners",
    "port",
    "forward",
    "protocol",
    "attributes",
    "health_check",
    "path",
    "interval",
    "timeout",
    "healthy_threshold",
    "unhealthy_threshold",
    "matcher",
    "targets",
    "target",
    "zone",
    "zones",
    "rules",
    "priority",
    "conditions",
    "action",
    "redirect",
    "fixed-response",
    "target_groups",
    "stickiness",
    "status_code",
    "<<",
]
KEYS = st.sampled_from([*WORDS, "", *(row.key for row in TABLE)])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.dates()
    | st.sampled_from(["HTTP", "web", "/", "200-299", "traffic-port", "web1:80", "[::1]:81", 80, 5])
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
ACTIONS = {"forward": TREES, "redirect": TREES, "fixed-response": TREES}
RULES = st.fixed_dictionaries(
    {},
    optional={
        "priority": st.integers(-1, 5) | SCALARS,
        "conditions": TREES,
        "transforms": TREES,
        "action": st.fixed_dictionaries({}, optional=ACTIONS) | TREES,
    },
)
LISTENERS = st.fixed_dictionaries(
    {}, optional={"port": SCALARS, "rules": st.lists(RULES, max_size=3) | SCALARS, **ACTIONS}
)
# A tree of the right shape down to the settings, so that the deep checks are reached too.
SETTINGS = st.dictionaries(KEYS, TREES, max_size=6)
SHAPED = st.fixed_dictionaries(
    {
        "load_balancers": st.dictionaries(
            st.sampled_from(["web", "api", "x_"]),
            st.fixed_dictionaries(
                {"listeners": st.lists(SETTINGS | LISTENERS, max_size=3)},
                optional={"attributes": SETTINGS, "zones": TREES},
            ),
            max_size=2,
        ),
        "target_groups": st.dictionaries(
            st.sampled_from(["web", "HTTP", "x_"]),
            st.fixed_dictionaries(
                {}, optional={"health_check": SETTINGS, "targets": TREES, "port": SCALARS, "attributes": SETTINGS}
            ),
            max_size=3,
        ),
    }
)
MARKS = [
    r"a",
    r"1",
    r"&a",
    r"*a",
    r"!x",
    r"!!int",
    r"!!map",
    r"?",
    r":",
    r"-",
    r"[",
    r"]",
    r"{",
    r"}",
    r",",
    r"|",
    r">-",
    r"'",
    r'"',
    r"#",
    r"\U",
    r"\x",
    r"\uD800",
    r"<<",
    r"~",
    r"0x",
    r"---",
    r"...",
    r"é",
]
ODD = [
    "\n",
    "  ",
    " ",
    "\t",
    "\x85",
    "\ufeff",
    "\x00",
    "\ud800",
    "\U0001f600",
    "%TAG ! x\n",
    "%YAML " + "9" * 5000 + ".1\n",
]
SNIPPETS = st.sampled_from([*MARKS, *(f"{mark} " for mark in MARKS), *(f"{mark}\n" for mark in MARKS), *ODD, *WORDS])


def read(text: str) -> None:
    error = error_of(text)
    if error is None:
        return
    lines = str(error).split("\n")
    assert len(lines) == len(error.problems) > 0
    numbers = [problem.line for problem in error.problems]
    assert numbers == sorted(numbers)
    assert all(line.startswith(f"lb.yaml:{number}: ") for line, number in zip(lines, numbers, strict=True))
    assert all(line.isprintable() for line in lines)


def error_of(text: str) -> ConfigError | None:
    try:
        assert isinstance(read_config(text, "lb.yaml"), Config)
    except ConfigError as error:
        return error
    return None


def test_the_good_file_is_good():
    assert error_of(GOOD) is None


@given(st.text())
def test_any_text(text: str):
    read(text)


@settings(max_examples=400, deadline=None)
@given(st.lists(SNIPPETS, max_size=25).map("".join))
def test_yaml_ish_text(text: str):
    read(text)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_good_file_with_one_piece_replaced(data: st.DataObject):
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(start + 8, len(GOOD))))
    read(GOOD[:start] + data.draw(SNIPPETS | st.text(max_size=3)) + GOOD[end:])


@settings(max_examples=200, deadline=None)
@given(TREES | SHAPED)
def test_any_tree(tree: object):
    read(yaml.safe_dump(tree, allow_unicode=True))


@given(
    st.ip_addresses(v=4).map(str)
    | st.ip_addresses(v=6).map(str)
    | st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True),
    st.integers(1, 65535),
)
def test_a_target_is_read_as_it_is_printed(host: str, port: int):
    assert parse_address(str(Target(host, port))) == (host, port)
