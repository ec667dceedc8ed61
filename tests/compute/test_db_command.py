"""`lb db check`: texts, JSON, exit codes, and the page that lists them."""

import json
import re
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from lb.cli.db import EXIT_CODES, db
from lb.compute.database_diagnosis import Outcome

DOCUMENT = Path(__file__).parents[2] / "docs" / "db-check.md"


def run(*arguments, **environment):
    # The command starts an event loop of its own, so these tests must not run in one.
    clean = dict.fromkeys(("LB_DB_HOST", "LB_DB_PORT", "LB_DB_USER", "LB_DB_PASSWORD", "LB_DB_NAME"))
    return CliRunner().invoke(db, ["check", *arguments], env=clean | environment)


def closed_port(unused):
    unused.bind(("127.0.0.1", 0))
    return str(unused.getsockname()[1])


def test_every_outcome_has_an_exit_code_of_its_own():
    assert set(EXIT_CODES) == set(Outcome)
    assert len(set(EXIT_CODES.values())) == len(Outcome)
    assert not {1, 2} & set(EXIT_CODES.values())
    assert EXIT_CODES[Outcome.OK] == 0


def test_the_document_and_the_help_list_every_outcome_with_its_exit_code():
    listed = re.findall(r"^\| (\d+) \| `([a-z-]+)` \|", DOCUMENT.read_text(), re.MULTILINE)
    assert {(outcome, int(code)) for code, outcome in listed} == {(str(o), code) for o, code in EXIT_CODES.items()}
    help_text = run("--help").stdout
    for outcome, code in EXIT_CODES.items():
        assert re.search(rf"^ +{code}  {outcome}$", help_text, re.MULTILINE)


def test_the_document_lists_every_option():
    options = {option for parameter in db.commands["check"].params for option in parameter.opts}
    assert {option for option in options if f"`{option}`" not in DOCUMENT.read_text()} == set()


def test_a_failure_is_shown_with_outcome_cause_and_next_step():
    with socket.socket() as unused:
        port = closed_port(unused)
        result = run("--host", "127.0.0.1", "--port", port, "--user", "web", "--password", "hidden")
    assert result.exit_code == EXIT_CODES[Outcome.REFUSED]
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: 127.0.0.1 answered, but nothing listens on port {port}")
    assert re.search(r"outcome: +refused\n +likely cause: .+\n +next step: .+\n", result.stderr)
    assert "hidden" not in result.output


def test_json_holds_the_whole_result_and_keeps_the_exit_code():
    with socket.socket() as unused:
        result = run("--host", "127.0.0.1", "--port", closed_port(unused), "--user", "web", "--json")
    assert result.exit_code == EXIT_CODES[Outcome.REFUSED]
    answer = json.loads(result.stdout)
    assert answer["outcome"] == "refused"
    assert answer["exit_code"] == result.exit_code
    assert answer["server_version"] is None
    assert answer["cause"]
    assert answer["next_step"]


def test_an_unknown_host_has_its_exit_code():
    result = run("--host", "no-such-database.invalid", "--user", "web")
    assert result.exit_code == EXIT_CODES[Outcome.UNKNOWN_HOST]


@pytest.mark.parametrize("port", ["0", "65536", "mysql"])
def test_a_bad_port_is_wrong_usage(port):
    assert run("--host", "127.0.0.1", "--port", port, "--user", "web").exit_code == 2


@pytest.mark.mysql
def test_success_prints_the_server_version_and_takes_the_password_from_the_environment(mariadb):
    place = ("--host", mariadb.host, "--port", str(mariadb.port), "--user", mariadb.user)
    result = run(*place, "--database", mariadb.database, LB_DB_PASSWORD=mariadb.password)
    assert result.exit_code == 0, result.output
    assert "MariaDB" in result.stdout
    assert json.loads(run(*place, "--json", LB_DB_PASSWORD=mariadb.password).stdout)["outcome"] == "ok"


@pytest.mark.mysql
@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        (("--password", "not it"), Outcome.WRONG_PASSWORD),
        (("--password", ""), Outcome.WRONG_PASSWORD),
        (("--database", "forbidden"), Outcome.NO_ACCESS),
    ],
)
def test_what_mysql_refuses_has_its_exit_code(mariadb, changes, outcome):
    place = ("--host", mariadb.host, "--port", str(mariadb.port), "--user", mariadb.user)
    result = run(*place, *changes, LB_DB_PASSWORD=mariadb.password)
    assert result.exit_code == EXIT_CODES[outcome]
    assert "was reached" in result.stderr or "login worked" in result.stderr
