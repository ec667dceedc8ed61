"""Terraform's language: text is quoted so that Terraform reads back exactly it."""

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.export.hcl import Block, Code, block, quoted, write

HOSTILE = (
    "${1 + 1}",
    "%{ if true }x%{ endif }",
    '"',
    "\\",
    "\\${x}",
    "$${x}",
    "$$${x}",
    "\n\r\t\b\f",
    "\\b",
    "한글",
    "😀",
    "\x7f",
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", '"plain"'),
        ('a "b" \\', r'"a \"b\" \\"'),
        ("line\nbreak", r'"line\nbreak"'),
        ("${x} %{y} $x %x {z}", '"$${x} %%{y} $x %x {z}"'),
        ("\b\f", r'"\u0008\u000c"'),
        ("\\b", r'"\\b"'),
        ("한글😀", '"한글😀"'),
    ],
)
def test_text_is_quoted(text, written):
    assert quoted(text) == written


@given(st.text())
def test_no_text_begins_a_template_or_ends_its_quotes(text):
    inside = quoted(text)[1:-1]
    without_escapes = inside.replace("\\\\", "").replace('\\"', "").replace("$${", "").replace("%%{", "")
    for dangerous in ('"', "\n", "${", "%{"):
        assert dangerous not in without_escapes


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_reads_back_what_was_written(tmp_path):
    outputs = [block("output", f"o{number}", value=text) for number, text in enumerate(HOSTILE)]
    (tmp_path / "main.tf").write_text("".join(map(write, outputs)))
    for arguments in (("init",), ("apply", "-auto-approve")):
        subprocess.run(["terraform", *arguments], cwd=tmp_path, capture_output=True, check=True, timeout=240)
    shown = subprocess.run(
        ["terraform", "output", "-json"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=240
    )
    assert [json.loads(shown.stdout)[f"o{number}"]["value"] for number in range(len(HOSTILE))] == list(HOSTILE)


def test_a_block_is_laid_out_as_terraform_fmt_does():
    inner = Block("required_providers", (), (("aws", {"source": "hashicorp/aws", "v": "1"}),))
    item = block("resource", "a", "b", on=True, count=3, none=None, empty=[], ids=[Code("x.y"), "z"], inner=inner)
    assert write(item) == (
        'resource "a" "b" {\n'
        "  on    = true\n"
        "  count = 3\n"
        '  ids   = [x.y, "z"]\n'
        "\n"
        "  required_providers {\n"
        "    aws = {\n"
        '      "source" = "hashicorp/aws"\n'
        '      "v"      = "1"\n'
        "    }\n"
        "  }\n"
        "}\n"
    )
