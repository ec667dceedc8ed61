"""Every key and list item knows its line, in block and flow style."""

import pytest

from lb.configfile.document import parse_document
from lb.configfile.problems import dotted

TEXT = """\
# a comment first
a:
  b: 1

  c:
    - x
    -
      - y
    - {d: 1,
       e: [1,
           2]}
f: |
  several
  lines
"quoted key": &anchor {g: 1}
h: *anchor
"""

LINES = {
    ("a",): 2,
    ("a", "b"): 3,
    ("a", "c"): 5,
    ("a", "c", 0): 6,
    ("a", "c", 1): 8,
    ("a", "c", 1, 0): 8,
    ("a", "c", 2): 9,
    ("a", "c", 2, "d"): 9,
    ("a", "c", 2, "e"): 10,
    ("a", "c", 2, "e", 0): 10,
    ("a", "c", 2, "e", 1): 11,
    ("f",): 12,
    ("quoted key",): 15,
    ("quoted key", "g"): 15,
    ("h",): 16,
    ("h", "g"): 15,
}


def test_the_map_of_lines_is_exact():
    document = parse_document(TEXT, "x.yaml")
    assert dict(document.lines) == {(): 1, **LINES}


def test_something_that_is_missing_has_the_line_of_what_should_hold_it():
    document = parse_document(TEXT, "x.yaml")
    assert document.line_of(("a", "c", 2, "missing", "deeper")) == 9
    assert document.line_of(("missing",)) == 1


def test_data_is_plain():
    document = parse_document(
        "{a: [1, 0x10, 0o10, 007, 1.5, .5, 1e3, true, ~, null, '', on, 10:30, 2001-01-01, '1']}", "x"
    )
    assert document.data == {
        "a": [1, 16, 8, 7, 1.5, 0.5, 1000.0, True, None, None, "", "on", "10:30", "2001-01-01", "1"]
    }
    assert parse_document("[.inf, -.INF]", "x").data == [float("inf"), float("-inf")]


def test_an_explicit_text_tag_is_understood():
    assert parse_document("a: !!str 80", "x").data == {"a": "80"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("a", "b"), "a.b"),
        (("a", 0, "b", 1), "a[0].b[1]"),
        (("a", ""), "a.''"),
        ((0,), "[0]"),
    ],
)
def test_key_paths_as_text(path: tuple[str | int, ...], text: str):
    assert dotted(path) == text
