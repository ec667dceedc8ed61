"""The data files: both languages whole, ten lessons in order, and what a broken file is told."""

import re
from importlib import resources

import pytest
import yaml

from lb.lessons.lesson import Lesson
from lb.lessons.loader import LessonError, load_lessons, read_lesson

LESSONS = load_lessons()
GOOD = """
id: "4"
title: &text {en: Refresh, ko: 새로 고침}
goal: *text
explanation: *text
observe: *text
steps:
  - {title: *text, text: *text, cli: curl, console: *text, checks: [{image_of: {server: Web Server 1}}]}
"""


def texts(value, place=""):
    """Every text of a file with its place."""
    if isinstance(value, dict) and value.keys() & {"en", "ko"}:
        yield place, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from texts(each, f"{place}.{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from texts(each, f"{place}.{number}")


def test_there_are_ten_lessons_in_their_order():
    assert list(LESSONS) == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize("file", sorted((resources.files("lb.lessons") / "data").iterdir(), key=lambda file: file.name))
def test_both_languages_say_everything_and_fill_in_the_same(file):
    found = list(texts(yaml.safe_load(file.read_text("utf-8"))))
    assert found
    for place, text in found:
        assert text.keys() == {"en", "ko"}, place
        assert re.search("[가-힣]", text["ko"]) or text["ko"].isascii(), place
        assert not re.search("[가-힣]", text["en"]), place
        assert text["en"].count("{url}") == text["ko"].count("{url}"), place


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS.keys())
def test_what_a_step_makes_carries_the_lessons_tag(lesson: Lesson):
    for step in lesson.steps:
        made = re.findall(r"run-instances|create-(?:image|security-group|load-balancer|target-group)\b", step.cli)
        tags = re.findall(rf"Key=lb:lesson,Value={lesson.id}\b", step.cli)
        assert len(tags) == len(made), step.title.en


def test_a_good_file_is_a_lesson():
    assert read_lesson("04-refresh.yaml", GOOD).title.ko == "새로 고침"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("ko: 새로 고침", "ko: ''"), "title.ko"),
        ((", ko: 새로 고침", ""), "title.ko: Field required"),
        (("cli: curl", "cli: ''"), "steps.0.cli"),
        (("cli: curl", "cli: curl, more: 1"), "steps.0.more"),
        (("image_of:", "images_of:"), "there is no check 'images_of'"),
        (("{server: Web Server 1}", "{server: 1}"), "steps.0.checks.0"),
        (("[{image_of: {server: Web Server 1}}]", "[]"), "steps.0.checks"),
        (('id: "4"', 'id: "5"'), "has the id 5"),
        (("id:", "id: ["), "04-refresh.yaml"),
        (("steps:", "prepare: {load_balancer: web}\nsteps:"), "needs a target group"),
        (("steps:", "prepare: {groups: [{name: web, servers: [Blue]}]}\nsteps:"), "no server is called Blue"),
        (("steps:", "prepare: {database: true}\nsteps:"), "needs a server that asks"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(change, told):
    text = GOOD.replace(*change)
    assert text != GOOD
    with pytest.raises(LessonError, match=re.escape(told)) as error:
        read_lesson("04-refresh.yaml", text)
    assert str(error.value).startswith("04-refresh.yaml: ")
