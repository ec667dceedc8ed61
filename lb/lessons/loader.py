"""Reads the lessons' data files, which are part of the package."""

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

import yaml
from pydantic import ValidationError

from lb.lessons.lesson import Lesson


class LessonError(Exception):
    """A data file that holds no lesson. The message names the file and every place in it that is wrong."""


def load_lessons() -> Mapping[str, Lesson]:
    """All lessons by id, in their order. Raises LessonError."""
    folder = resources.files("lb.lessons") / "data"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    lessons = [read_lesson(file.name, file.read_text("utf-8")) for file in files]
    return MappingProxyType({lesson.id: lesson for lesson in lessons})


def read_lesson(name: str, text: str) -> Lesson:
    """The lesson of a file; its number must be that of its name, `04-alternate.yaml`. Raises LessonError."""
    try:
        lesson = Lesson.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise LessonError(f"{name}: {error}") from error
    except ValidationError as error:
        places = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise LessonError(f"{name}: {'; '.join(places)}") from error
    if name.partition("-")[0] != f"{int(lesson.id):02}":
        raise LessonError(f"{name}: has the id {lesson.id}")
    return lesson
