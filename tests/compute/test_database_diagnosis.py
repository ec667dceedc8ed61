"""Which error, met in which stage, becomes which outcome."""

import errno
import socket
import string
import struct

import pytest
from asyncmy.errors import InternalError, MySQLError, OperationalError
from hypothesis import given
from hypothesis import strategies as st

from lb.compute import database_diagnosis
from lb.compute.database_diagnosis import (
    Diagnosis,
    HTTPServerError,
    NotMySQLError,
    Outcome,
    Stage,
    diagnose,
    error_text,
)
from lb.compute.mysql_greeting import is_mysql_greeting

DENIED = "Access denied for user 'web'@'172.17.0.3' (using password: {})"

CASES = [
    (Stage.RESOLVE, socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Outcome.UNKNOWN_HOST),
    (Stage.RESOLVE, socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), Outcome.UNKNOWN_HOST),
    (Stage.RESOLVE, UnicodeError("label too long"), Outcome.UNKNOWN_HOST),
    (Stage.RESOLVE, TimeoutError(), Outcome.UNKNOWN_HOST),
    (Stage.CONNECT, ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), Outcome.REFUSED),
    (Stage.CONNECT, TimeoutError(), Outcome.TIMEOUT),
    (Stage.CONNECT, TimeoutError(errno.ETIMEDOUT, "Connection timed out"), Outcome.TIMEOUT),
    (Stage.CONNECT, OSError(errno.EHOSTUNREACH, "No route to host"), Outcome.UNREACHABLE),
    (Stage.CONNECT, OSError(errno.ENETUNREACH, "Network is unreachable"), Outcome.UNREACHABLE),
    (Stage.CONNECT, PermissionError(errno.EPERM, "Operation not permitted"), Outcome.OTHER),
    (Stage.GREETING, TimeoutError(), Outcome.NO_GREETING),
    (Stage.GREETING, EOFError(), Outcome.NO_GREETING),
    (Stage.GREETING, ConnectionResetError(errno.ECONNRESET, "reset"), Outcome.NO_GREETING),
    (Stage.GREETING, NotMySQLError(b"SSH-2.0-OpenSSH"), Outcome.NOT_MYSQL),
    (Stage.GREETING, HTTPServerError(b"HTTP/1.1 400"), Outcome.NOT_MYSQL),
    (Stage.LOGIN, TimeoutError(), Outcome.TIMEOUT),
    (Stage.LOGIN, OperationalError(1045, DENIED.format("YES")), Outcome.WRONG_PASSWORD),
    (Stage.LOGIN, OperationalError(1045, DENIED.format("NO")), Outcome.WRONG_PASSWORD),
    (Stage.LOGIN, OperationalError(1698, "Access denied for user 'root'@'localhost'"), Outcome.WRONG_PASSWORD),
    (Stage.LOGIN, OperationalError(1049, "Unknown database 'shop'"), Outcome.UNKNOWN_DATABASE),
    (Stage.LOGIN, OperationalError(1044, "Access denied ... to database 'shop'"), Outcome.NO_ACCESS),
    (Stage.LOGIN, OperationalError(1040, "Too many connections"), Outcome.TOO_MANY_CONNECTIONS),
    (Stage.LOGIN, OperationalError(1203, "max_user_connections"), Outcome.TOO_MANY_CONNECTIONS),
    (Stage.LOGIN, OperationalError(1226, "max_user_connections"), Outcome.TOO_MANY_CONNECTIONS),
    (Stage.LOGIN, OperationalError(1129, "Host is blocked"), Outcome.HOST_NOT_ALLOWED),
    (Stage.LOGIN, OperationalError(1130, "Host is not allowed"), Outcome.HOST_NOT_ALLOWED),
    (Stage.LOGIN, OperationalError(3159, "require_secure_transport=ON"), Outcome.OTHER),
    (Stage.LOGIN, OperationalError(2013, "Lost connection"), Outcome.OTHER),
    (Stage.LOGIN, OperationalError(4151, "Access denied, this account is locked"), Outcome.OTHER),
    (Stage.LOGIN, OperationalError("caching sha2: Unknown packet"), Outcome.OTHER),
    (Stage.LOGIN, InternalError("Packet sequence number wrong"), Outcome.OTHER),
    (Stage.LOGIN, ConnectionResetError(errno.ECONNRESET, "reset"), Outcome.OTHER),
    (Stage.LOGIN, RuntimeError("'cryptography' package is required"), Outcome.OTHER),
    (Stage.LOGIN, struct.error("unpack requires a buffer of 4 bytes"), Outcome.OTHER),
]


@pytest.mark.parametrize(("stage", "error", "outcome"), CASES, ids=lambda value: str(value)[:40])
def test_an_error_in_a_stage_has_its_outcome(stage, error, outcome):
    assert diagnose(stage, error).outcome is outcome


def test_a_missing_password_and_a_wrong_one_have_different_next_steps():
    wrong = diagnose(Stage.LOGIN, OperationalError(1045, DENIED.format("YES")))
    missing = diagnose(Stage.LOGIN, OperationalError(1045, DENIED.format("NO")))
    assert "LB_DB_PASSWORD" in missing.next_step
    assert wrong.next_step != missing.next_step


def test_a_silent_name_server_is_told_from_a_name_that_does_not_exist():
    unknown = diagnose(Stage.RESOLVE, socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    silent = diagnose(Stage.RESOLVE, socket.gaierror(socket.EAI_AGAIN, "Temporary failure"))
    assert unknown.happened != silent.happened


@given(
    st.sampled_from(Stage),
    st.one_of(
        st.builds(OperationalError, st.integers(0, 65535), st.text()),
        st.builds(MySQLError),
        st.builds(OSError, st.integers(1, 133), st.text()),
        st.builds(ValueError, st.text()),
    ),
)
def test_every_error_has_an_outcome_other_than_ok_and_a_text_of_one_printable_line(stage, error):
    assert diagnose(stage, error).outcome is not Outcome.OK
    assert error_text(error).isprintable()


def diagnoses():
    return [value for value in vars(database_diagnosis).values() if isinstance(value, Diagnosis)]


def test_every_outcome_but_ok_has_a_diagnosis():
    assert {diagnosis.outcome for diagnosis in diagnoses()} == set(Outcome) - {Outcome.OK}


def test_the_texts_name_only_what_can_be_filled_in():
    for diagnosis in diagnoses():
        for text in (diagnosis.happened, diagnosis.cause, diagnosis.next_step):
            fields = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            assert fields <= {"host", "port", "user", "database"}, text


GREETINGS = [
    (b"", None),
    (b"\x5b\x00\x00\x00", None),
    (b"\x5b\x00\x00\x00\x0a8.4.3\x00", True),
    (b"\x17\x00\x00\x00\xff\x10\x04Too many connections", True),
    (b"\x5b\x00\x00\x01\x0a", False),
    (b"\x00\x00\x00\x00\x0a", False),
    (b"SSH-2.0-OpenSSH_9.2p1\r\n", False),
    (b"220 mail ESMTP\r\n", False),
    (b"HTTP/1.1 400 Bad Request\r\n", False),
    (b"\x15\x03\x03\x00\x02\x02\x46", False),
]


@pytest.mark.parametrize(("data", "verdict"), GREETINGS)
def test_the_first_bytes_tell_mysql_from_other_services(data, verdict):
    assert is_mysql_greeting(data) is verdict
