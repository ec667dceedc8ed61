"""The balancer's sentences in other languages: every one has its words, and nothing else has."""

import ast
import re
from pathlib import Path

import pytest

from lb.model.said import ENGLISH, LANGUAGES, Said, said
from lb.observe import advice, cause, group_notes
from lb.observe.words import load_words
from lb.targets import stickiness, zones

ROOT = Path(__file__).parents[2] / "lb"
IN_TABLES = {
    *group_notes.SENTENCES.values(),
    *(sentence for pair in advice.SENTENCES.values() for sentence in pair),
    *cause.WORDS.values(),
    *cause.OWN_ANSWERS.values(),
    *(why.value for why in stickiness.Why),
    *(why.text.english for why in zones.Why),
}
_VALUE = re.compile(r"\{(\w+)[^}]*\}")


def calls():
    """What `said` is called with, and where: a literal's value, or None for anything else."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "said":
                first = node.args[0] if len(node.args) == 1 else None
                yield f"{path}:{node.lineno}", first.value if isinstance(first, ast.Constant) else None


SENTENCES = sorted(
    sentence for sentence in {*IN_TABLES, *(found for _, found in calls() if found)} if not _VALUE.fullmatch(sentence)
)
SAME_IN_KOREAN = {"fail-open: {found}", "{failed}: {status}", "{header}: {verdict}"}
KOREAN = load_words()["ko"]


def test_all_sentences_are_found():
    assert len(SENTENCES) > 120
    assert "any of {several}" in SENTENCES


def test_a_sentence_that_is_in_no_table_is_a_literal():
    assert [place for place, sentence in calls() if not isinstance(sentence, str)] == []


def test_every_language_has_words():
    assert load_words().keys() == set(LANGUAGES)
    assert load_words()["en"] == ENGLISH


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_told_in_korean_with_the_same_values(sentence):
    korean = KOREAN[sentence]
    assert sorted(match[0] for match in _VALUE.finditer(korean)) == sorted(
        match[0] for match in _VALUE.finditer(sentence)
    )
    assert (korean == sentence) == (sentence in SAME_IN_KOREAN)


def test_nothing_is_translated_that_is_never_said():
    assert KOREAN.keys() - {*SENTENCES} == set()


def test_parts_are_told_in_the_language_of_the_whole():
    whole = said(
        "{value} does not match {patterns}{hint}", value='"/a"', patterns=said("any of {several}", several="x"), hint=""
    )
    assert str(whole) == '"/a" does not match any of x'
    words = {
        "any of {several}": "{several} 중 하나",
        "{value} does not match {patterns}{hint}": "{value} ≠ {patterns}{hint}",
    }
    assert whole.to(words) == '"/a" ≠ x 중 하나'
    assert whole.to({"any of {several}": "un de {several}"}) == '"/a" does not match un de x'


def test_values_may_hold_braces():
    assert str(Said("{value} is gone", {"value": "{target}"})) == "{target} is gone"
