"""Reads a configuration file whole: YAML, then the schema, then what must hold between its parts.

All problems of a file are reported together; only broken YAML ends the search at once.
"""

from pathlib import Path

from pydantic import ValidationError

from lb.configfile.build import build_config
from lb.configfile.document import parse_document
from lb.configfile.explain import explain
from lb.configfile.problems import ConfigError, Problem
from lb.configfile.relations import check_relations
from lb.configfile.schema import FileKeys
from lb.model.config import Config

_EMPTY = "the file is empty; it needs load_balancers and target_groups (docs/lb-yaml.md shows the smallest one)"


def load_config(path: Path) -> Config:
    """Reads a file. Raises ConfigError, also for one that is missing, unreadable or not UTF-8."""
    file = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        problem = Problem(file, None, "", f"cannot be read: {error.strerror or error}")
        raise ConfigError([problem]) from error
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8 text: byte 0x{content[error.start]:02x}; save the file as UTF-8"
        raise ConfigError([Problem(file, line, "", message)]) from error
    return read_config(text, file)


def read_config(text: str, filename: str) -> Config:
    """Reads the text of a file; `filename` is for messages. Raises ConfigError with every problem found."""
    document = parse_document(text, filename)
    if document.data is None and not document.problems:
        raise ConfigError([Problem(filename, 1, "", _EMPTY)])
    problems = [*document.problems]
    problems += (document.problem(path, message) for path, message in check_relations(document))
    try:
        keys = FileKeys.model_validate(document.data)
    except ValidationError as error:
        found = [document.problem(*each) for each in explain(error) if each[0] not in document.unreadable]
        raise ConfigError([*problems, *found]) from error
    if problems:
        raise ConfigError(problems)
    return build_config(keys)
