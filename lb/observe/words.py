"""The words of the languages that the balancer tells its sentences in (`lb.model.said`): files of the package."""

import json
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Final

from lb.model.said import ENGLISH, Language, Words

_KOREAN: Final = "words.ko.json"


def load_words() -> Mapping[Language, Words]:
    """By language: Korean templates by English ones."""
    korean = json.loads((resources.files("lb.observe") / _KOREAN).read_text("utf-8"))
    return MappingProxyType({"en": ENGLISH, "ko": MappingProxyType(korean)})
