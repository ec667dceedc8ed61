"""The texts of the console: two languages with the same keys and values, and every key that is used."""

import json
import re

import pytest

from lb.console.site import STATIC

LANGUAGES = ("en", "ko")
# t("file.key"), `t(`shell.state.${name}`)`, and keys that are kept in tables: "overview.check_path".
_LITERAL = re.compile(r'"([a-z][\w-]*\.[\w.-]+)"')
_TEMPLATE = re.compile(r"\bt\(\s*`([a-z][\w-]*\.[\w.-]*)\$\{")
_VALUE = re.compile(r"\{(\w+)\}")


def texts(language):
    """By file, the texts by key."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in (STATIC / "i18n" / language).glob("*.json")}


def all_keys(language="en"):
    return {f"{file}.{key}" for file, found in texts(language).items() for key in found}


def sources():
    """By path, each module without its comments."""
    return {
        path.relative_to(STATIC).as_posix(): re.sub(r"^\s*//.*", "", path.read_text("utf-8"), flags=re.MULTILINE)
        for path in STATIC.rglob("*.js")
    }


def test_both_languages_have_the_same_keys_with_the_same_values_in_them():
    english, korean = map(texts, LANGUAGES)
    assert english.keys() == korean.keys()
    for file in english:
        assert english[file].keys() == korean[file].keys(), file
        for key, text in english[file].items():
            assert set(_VALUE.findall(text)) == set(_VALUE.findall(korean[file][key])), f"{file}.{key}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language):
    for file, found in texts(language).items():
        assert [key for key, text in found.items() if not text.strip()] == [], file


def test_every_key_that_is_used_has_a_text():
    keys, files = all_keys(), texts("en")
    for name, source in sources().items():
        used = {
            key for key in _LITERAL.findall(source) if key.split(".")[0] in files and not key.endswith((".js", ".css"))
        }
        assert used - keys == set(), name
        for start in _TEMPLATE.findall(source):
            assert any(key.startswith(start) for key in keys), f"{name}: {start}..."


def test_every_view_has_its_file_its_texts_and_its_name():
    names = re.findall(r'^  \{ name: "([\w-]+)"', (STATIC / "views.js").read_text("utf-8"), re.MULTILINE)
    assert "overview" in names
    for name in names:
        assert (STATIC / "views" / f"{name}.js").is_file()
        assert name in texts("en")
        assert f"shell.nav.{name}" in all_keys()
        assert f"{name}.title" in all_keys()
