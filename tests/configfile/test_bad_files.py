"""The exact lines that a wrong file gives. Cases that can be read as text are in the bad_*.txt files beside this one."""

from pathlib import Path

import pytest

from lb.configfile.problems import ConfigError
from lb.configfile.reader import load_config, read_config


def lines_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read_config(text, "lb.yaml")
    lines = str(raised.value).splitlines()
    assert lines == [str(problem) for problem in raised.value.problems]
    return lines


def group_lines(settings: str) -> list[str]:
    """Problems of a target group `g` with these settings, which begin on line 4; without the path to it."""
    head = "load_balancers: {web: {listeners: [{port: 80, forward: g}]}}\ntarget_groups:\n  g:\n"
    lines = lines_of(head + "".join(f"    {line}\n" for line in settings.splitlines()))
    return [line.replace(": target_groups.g.", ": ", 1) for line in lines]


def balancer_lines(settings: str) -> list[str]:
    """Problems of a load balancer `web` with these settings, which begin on line 4; without the path to it."""
    head = "target_groups: {a: {}, b: {}}\nload_balancers:\n  web:\n"
    lines = lines_of(head + "".join(f"    {line}\n" for line in settings.splitlines()))
    return [line.replace(": load_balancers.web.", ": ", 1) for line in lines]


def rules_lines(settings: str) -> list[str]:
    """Problems of the listener that bad_rules.txt describes, with these settings; without the path to it."""
    head = """\
target_groups:
  {web: {}, canary: {}, sticky: {attributes: {stickiness.enabled: true}}, app: {attributes: {stickiness.enabled: "true",
  stickiness.type: app_cookie, stickiness.app_cookie.cookie_name: id}}, other: {}}
load_balancers:
  other:
    listeners: [{port: 81, forward: other}]
  web:
    listeners:
      - port: 80
"""
    lines = lines_of(head + "".join(f"        {line}\n" for line in settings.splitlines()))
    return [
        line.replace(": load_balancers.web.listeners[0]", ":", 1).replace(":.", ": ", 1).replace("::", ":", 1)
        for line in lines
    ]


def cases_of(name: str) -> list[object]:
    """The cases of a text file: `===` and perhaps a name, the text, `>>>`, the lines expected."""
    content = Path(__file__).with_name(name).read_text("utf-8")
    cases = []
    for block in content.split("\n===")[1:]:
        title, _, rest = block.partition("\n")
        text, _, expected = rest.partition(">>>\n")
        cases.append(pytest.param(text, expected.strip().splitlines(), id=title.strip() or text.strip()[:50]))
    assert cases, name
    return cases


@pytest.mark.parametrize(("text", "expected"), cases_of("bad_files.txt"))
def test_problems_of_a_whole_file(text: str, expected: list[str]):
    assert lines_of(text) == expected


@pytest.mark.parametrize(("settings", "expected"), cases_of("bad_target_groups.txt"))
def test_problems_of_a_target_group(settings: str, expected: list[str]):
    assert group_lines(settings) == expected


@pytest.mark.parametrize(("settings", "expected"), cases_of("bad_load_balancers.txt"))
def test_problems_of_a_load_balancer(settings: str, expected: list[str]):
    assert balancer_lines(settings) == expected


@pytest.mark.parametrize(("settings", "expected"), cases_of("bad_rules.txt"))
def test_problems_of_rules_and_default_actions(settings: str, expected: list[str]):
    assert rules_lines(settings) == expected


def test_more_than_a_hundred_rules_in_a_load_balancer():
    rule = "{{priority: {}, conditions: {{path-pattern: /x}}, action: {{forward: a}}}}"
    rules = ["".join(f"      - {rule.format(n)}\n" for n in range(1, count)) for count in (62, 43)]
    listeners = "".join(f"  - port: {8000 + n}\n    forward: a\n    rules:\n{each}" for n, each in enumerate(rules))
    # 61 rules from line 8 on, and 42 more from line 72 on, of which the 40th is the first too many.
    (line,) = balancer_lines(f"listeners:\n{listeners}")
    assert line.startswith("lb.yaml:111: listeners[1].rules[39]: is rule 101 of load balancer 'web'; it can have 100,")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: \x01\n", "lb.yaml:2: not YAML: the character U+0001 is not allowed"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', "lb.yaml:2: not YAML: an escape or number is out of range"),
        ("[" * 3000, "lb.yaml:1: nested too deeply"),
    ],
)
def test_text_that_is_no_yaml_at_all(text: str, expected: str):
    assert lines_of(text) == [expected]


def test_indenting_with_a_tab_is_explained():
    (line,) = lines_of("load_balancers:\n\tweb: {}\n")
    assert line.startswith("lb.yaml:2: not YAML: found character '\\t' that cannot start any token")
    assert line.endswith("; indent with spaces, not tabs")


def test_aliases_that_multiply_are_stopped():
    levels = [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)]
    (line,) = lines_of("a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(levels))
    assert line.endswith(": aliases (*) repeat more than 100000 values")


def test_more_than_a_thousand_targets():
    settings = "targets: [" + ", ".join(f"w{n}" for n in range(1001)) + "]"
    assert group_lines(settings) == ["lb.yaml:4: targets: must not hold more than 1000 targets, and has 1001"]


def test_a_health_check_path_that_is_too_long():
    expected = "lb.yaml:4: health_check.path: must not be longer than 1024 characters, and has 1025"
    assert group_lines(f"health_check: {{path: /{'a' * 1024}}}") == [expected]


def test_an_attribute_value_that_is_too_long():
    (line,) = group_lines(f"attributes: {{deregistration_delay.timeout_seconds: {'1' * 1025}}}")
    assert line.endswith("timeout_seconds: must not be longer than 1024 characters, and has 1025")


def test_more_than_fifty_listeners():
    listeners = "".join(f"  - {{port: {8000 + n}, forward: a}}\n" for n in range(51))
    expected = "lb.yaml:4: listeners: must be a list of 1 to 50 listeners, not a list of 51"
    assert expected in balancer_lines(f"listeners:\n{listeners}")


def test_too_many_listeners_do_not_hide_problems_inside_them():
    listeners = "".join(f"  - {{port: {8000 + n}, forward: a}}\n" for n in range(50)) + "  - {port: 0, forward: zz}\n"
    lines = balancer_lines(f"listeners:\n{listeners}")
    assert [line.split(": ")[1] for line in lines] == ["listeners", "listeners[50].forward", "listeners[50].port"]


def test_problems_from_every_stage_come_together_in_line_order():
    lines = lines_of(
        """\
target_groups:
  a:
    targets: ["web1:80", "web1:80"]
    health_check: {interval: 4, timeout: 9, matcher: 999}
    targets: []
load_balancers:
  web:
    listeners:
      - port: 70000
        forward: aa
    attributes: {idle_timeout.timeout_seconds: 0}
  web: {}
typo: 1
"""
    )
    places = [line.split(":")[1] + line.split(":")[2] for line in lines]
    assert places == [
        "3 target_groups.a.targets[1]",
        "4 target_groups.a.health_check.timeout",
        "4 target_groups.a.health_check.matcher",
        "5 target_groups.a.targets",
        "9 load_balancers.web.listeners[0].port",
        "10 load_balancers.web.listeners[0].forward",
        "11 load_balancers.web.attributes.idle_timeout.timeout_seconds",
        "12 load_balancers.web",
        "13 typo",
    ]


def test_line_breaks_and_control_characters_from_the_file_stay_on_one_line():
    (line,) = [line for line in lines_of('"a\\nb\\e[31m": 1\nload_balancers: {}\n') if "known key;" in line]
    assert line.startswith("lb.yaml:1: a\\nb\\x1b[31m: is not a known key;")


def test_half_a_character_is_refused_as_key_and_as_value():
    assert group_lines('"\\uD800": 1\nprotocol: "\\uDFFF"') == [
        "lb.yaml:4: \\ud800: holds half a character (an escape from \\ud800 to \\udfff)",
        "lb.yaml:5: protocol: holds half a character (an escape from \\ud800 to \\udfff)",
    ]


def test_long_values_are_cut_short():
    (line,) = group_lines(f"port: {'x' * 5000}")
    assert line == f"lb.yaml:4: port: must be a number from 1 to 65535 without quotes, not '{'x' * 60}...'"


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "f" * 5000, "1e999", "-1"])
def test_absurd_numbers_are_refused(number: str):
    (line,) = group_lines(f"port: {number}")
    assert line.startswith("lb.yaml:4: port: must be a number from 1 to 65535")


def test_a_missing_file(tmp_path: Path):
    path = tmp_path / "lb.yaml"
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    assert str(raised.value) == f"{path}: cannot be read: No such file or directory"
    assert raised.value.problems[0].line is None


def test_a_directory(tmp_path: Path):
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path)
    assert str(raised.value) == f"{tmp_path}: cannot be read: Is a directory"


def test_a_file_that_is_not_utf_8(tmp_path: Path):
    path = tmp_path / "lb.yaml"
    path.write_bytes(b"# first\n# caf\xe9\n")
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    assert str(raised.value) == f"{path}:2: not UTF-8 text: byte 0xe9; save the file as UTF-8"


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(tmp_path: Path):
    path = tmp_path / "lb.yaml"
    text = "\ufeffload_balancers: {web: {listeners: [{port: 80, forward: a}]}}\r\ntarget_groups: {a: {}}\r\n"
    path.write_bytes(text.encode())
    assert load_config(path).load_balancers[0].name == "web"
