"""What a failed database check means: an error and the stage it struck in become an outcome, a likely cause and a next step.

Pure: no sockets, no clock. The texts are data; `{host}`, `{port}`, `{user}` and `{database}` are filled in by
`lb.compute.database`. Error numbers are MySQL's (server error reference); MariaDB numbers those listed here alike.
"""

import errno
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType

from asyncmy.errors import MySQLError


class Outcome(StrEnum):
    """How a check ended. `lb db check` gives each an exit code of its own."""

    OK = "ok"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - the name of an outcome
    UNKNOWN_DATABASE = "unknown-database"
    NO_ACCESS = "no-access"
    UNKNOWN_HOST = "unknown-host"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    NO_GREETING = "no-greeting"
    NOT_MYSQL = "not-mysql"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    HOST_NOT_ALLOWED = "host-not-allowed"
    OTHER = "other"


class Stage(Enum):
    """How far the check came; each stage is one way to fail further from the client."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    GREETING = "greeting"
    LOGIN = "login"


class NotMySQLError(Exception):
    """The other side speaks, but not MySQL. `heard` is what it said first."""

    def __init__(self, heard: bytes) -> None:
        super().__init__(f"its first bytes are {heard[:40]!r}")


class HTTPServerError(NotMySQLError):
    """The other side waited for us to speak and then answered in HTTP."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What happened, why that is likely, and what to do next, as templates."""

    outcome: Outcome
    happened: str
    cause: str
    next_step: str


NAME_UNKNOWN = Diagnosis(
    Outcome.UNKNOWN_HOST,
    "the name '{host}' has no address",
    "the name is misspelt, or it is known only elsewhere (a Compose service name works only inside its network)",
    "check the name with 'getent hosts {host}' on the machine that runs the web server",
)
NAME_SERVER_SILENT = Diagnosis(
    Outcome.UNKNOWN_HOST,
    "the name '{host}' could not be looked up: the name server does not answer",
    "this machine has no working DNS, or the name server is out of reach",
    "give the address instead of the name, or repair /etc/resolv.conf",
)
PORT_REFUSED = Diagnosis(
    Outcome.REFUSED,
    "{host} answered, but nothing listens on port {port}",
    "MySQL is not running, listens on another port, or only on its own loopback address (bind-address)",
    "on the database's machine: is it running, and what do 'port' and 'bind-address' say in its configuration?",
)
SILENT = Diagnosis(
    Outcome.TIMEOUT,
    "{host}:{port} did not answer at all",
    "a firewall or security group drops the packets, or the address belongs to no machine",
    "allow TCP port {port} from this machine (security group: inbound rule for the web server's group)",
)
NO_ROUTE = Diagnosis(
    Outcome.UNREACHABLE,
    "there is no way to {host}",
    "the machine is off, in a network that this one has no route to, or a firewall rejects the connection",
    "check the address, the route and that the machine is up ('ping {host}')",
)
GREETING_MISSING = Diagnosis(
    Outcome.NO_GREETING,
    "something accepts connections on {host}:{port} but says nothing, and MySQL's server speaks first",
    "not a MySQL port, a port forwarder with nothing behind it, or a MySQL server that hangs or waits for reverse DNS",
    "check what listens there; for a slow MySQL server try skip_name_resolve=ON, or a longer --timeout",
)
CLOSED_AT_ONCE = Diagnosis(
    Outcome.NO_GREETING,
    "something accepts connections on {host}:{port} and closes them at once",
    "a port forwarder with nothing behind it, or a MySQL server that is still starting or already stopping",
    "wait some seconds and try again; then look at the database's log",
)
OTHER_PROTOCOL = Diagnosis(
    Outcome.NOT_MYSQL,
    "what listens on {host}:{port} does not speak MySQL's protocol",
    "the port belongs to another service",
    "check the port: MySQL's default is 3306",
)
HTTP_SERVER = Diagnosis(
    Outcome.NOT_MYSQL,
    "what listens on {host}:{port} is an HTTP server",
    "this is the port of a web server, not of the database",
    "check the port: MySQL's default is 3306",
)
LOGIN_SILENT = Diagnosis(
    Outcome.TIMEOUT,
    "MySQL on {host}:{port} greeted, and then did not answer the login in time",
    "the server is overloaded or hangs, or something on the way drops larger packets",
    "try a longer --timeout; then look at the database's load and log",
)
LOGIN_CUT = Diagnosis(
    Outcome.OTHER,
    "MySQL on {host}:{port} greeted, and then cut the connection during the login",
    "the server is stopping, or server and client share no TLS version or login method",
    "look at the database's error log",
)
PASSWORD_WRONG = Diagnosis(
    Outcome.WRONG_PASSWORD,
    "MySQL on {host}:{port} was reached and refused the login of '{user}' with the given password",
    "the password or the user name is wrong, or this user may not log in from the address that MySQL names",
    "list users and where they may come from (SELECT user, host FROM mysql.user), then set the password anew",
)
PASSWORD_MISSING = Diagnosis(
    Outcome.WRONG_PASSWORD,
    "MySQL on {host}:{port} was reached and refused the login of '{user}' without a password",
    "no password was given and this user needs one, or there is no such user",
    "give the password in the environment variable LB_DB_PASSWORD",
)
PASSWORD_USELESS = Diagnosis(
    Outcome.WRONG_PASSWORD,
    "MySQL on {host}:{port} was reached and refused the login of '{user}'",
    "this user logs in as the operating system's user of that name (unix_socket), never with a password",
    "make a user for the web server: CREATE USER 'web'@'%' IDENTIFIED BY '...'; GRANT ALL ON mydb.* TO 'web'@'%';",
)
DATABASE_UNKNOWN = Diagnosis(
    Outcome.UNKNOWN_DATABASE,
    "the login worked, but there is no database '{database}' on {host}:{port}",
    "the name is misspelt (upper and lower case may differ), or the database was never created",
    "list the databases (SHOW DATABASES), or make it: CREATE DATABASE `{database}`;",
)
DATABASE_FORBIDDEN = Diagnosis(
    Outcome.NO_ACCESS,
    "the login worked, but '{user}' may not use the database '{database}' on {host}:{port}",
    "the user has no privilege on it; MySQL says the same of a database that does not exist",
    "as an administrator, with the host MySQL names: GRANT ALL ON `{database}`.* TO '{user}'@'...';",
)
CONNECTIONS_USED_UP = Diagnosis(
    Outcome.TOO_MANY_CONNECTIONS,
    "MySQL on {host}:{port} was reached and takes no more connections",
    "max_connections (or this user's limit) is used up: connections are left open, or there are too many clients",
    "see who holds them (SHOW PROCESSLIST), close what is idle, or raise max_connections",
)
CLIENT_FORBIDDEN = Diagnosis(
    Outcome.HOST_NOT_ALLOWED,
    "MySQL on {host}:{port} was reached and takes no connections from this machine",
    "no user may log in from this address",
    "make the user for it: CREATE USER '{user}'@'%' (or '{user}'@'this machine') IDENTIFIED BY '...';",
)
CLIENT_BLOCKED = Diagnosis(
    Outcome.HOST_NOT_ALLOWED,
    "MySQL on {host}:{port} was reached and has blocked this machine",
    "too many broken connections came from this address (max_connect_errors), often from health checks by TCP",
    "as an administrator: FLUSH HOSTS; (MySQL 8.4: TRUNCATE TABLE performance_schema.host_cache;)",
)
TLS_REQUIRED = Diagnosis(
    Outcome.OTHER,
    "MySQL on {host}:{port} was reached and wants TLS, which it does not offer itself",
    "require_secure_transport is on, but the server has no certificate",
    "give the server a certificate (ssl_cert, ssl_key), or switch require_secure_transport off",
)
REFUSED_BY_SERVER = Diagnosis(
    Outcome.OTHER,
    "MySQL on {host}:{port} was reached and answered with an error",
    "see MySQL's message",
    "look the error number up in MySQL's server error reference",
)
UNSUPPORTED_LOGIN = Diagnosis(
    Outcome.OTHER,
    "MySQL on {host}:{port} was reached, but logging '{user}' in failed on this side",
    "the user's login method (authentication plugin) is not supported here",
    "use a user with mysql_native_password or caching_sha2_password",
)
FAILED = Diagnosis(
    Outcome.OTHER,
    "connecting to {host}:{port} failed",
    "see the system's message",
    "check the address and this machine's network",
)

BY_SERVER_ERROR: Mapping[int, Diagnosis] = MappingProxyType(
    {
        1040: CONNECTIONS_USED_UP,  # ER_CON_COUNT_ERROR
        1044: DATABASE_FORBIDDEN,  # ER_DBACCESS_DENIED_ERROR
        1049: DATABASE_UNKNOWN,  # ER_BAD_DB_ERROR
        1129: CLIENT_BLOCKED,  # ER_HOST_IS_BLOCKED
        1130: CLIENT_FORBIDDEN,  # ER_HOST_NOT_PRIVILEGED
        1203: CONNECTIONS_USED_UP,  # ER_TOO_MANY_USER_CONNECTIONS
        1226: CONNECTIONS_USED_UP,  # ER_USER_LIMIT_REACHED
        1698: PASSWORD_USELESS,  # ER_ACCESS_DENIED_NO_PASSWORD_ERROR
        3159: TLS_REQUIRED,  # ER_SECURE_TRANSPORT_REQUIRED
        # Raised by the client library, not by a server.
        2003: LOGIN_CUT,  # CR_CONN_HOST_ERROR: asyncmy's name for an OSError of its own
        2006: LOGIN_CUT,  # CR_SERVER_GONE_ERROR
        2013: LOGIN_CUT,  # CR_SERVER_LOST
        2059: UNSUPPORTED_LOGIN,  # CR_AUTH_PLUGIN_CANNOT_LOAD
    }
)
_ACCESS_DENIED = 1045  # ER_ACCESS_DENIED_ERROR
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})


def diagnose(stage: Stage, error: BaseException) -> Diagnosis:
    """What `error`, met in `stage`, means. Every error has an answer; the unforeseen ones are `Outcome.OTHER`."""
    match stage:
        case Stage.RESOLVE:
            return _diagnose_resolve(error)
        case Stage.CONNECT:
            return _diagnose_connect(error)
        case Stage.GREETING:
            return _diagnose_greeting(error)
        case Stage.LOGIN:
            return _diagnose_login(error)


def _diagnose_resolve(error: BaseException) -> Diagnosis:
    # EAI_AGAIN: no name server answered, which says nothing about the name.
    silent = isinstance(error, TimeoutError) or (isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN)
    return NAME_SERVER_SILENT if silent else NAME_UNKNOWN


def _diagnose_connect(error: BaseException) -> Diagnosis:
    if isinstance(error, ConnectionRefusedError):
        return PORT_REFUSED
    if isinstance(error, TimeoutError):
        return SILENT
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return NO_ROUTE
    return FAILED


def _diagnose_greeting(error: BaseException) -> Diagnosis:
    if isinstance(error, HTTPServerError):
        return HTTP_SERVER
    if isinstance(error, NotMySQLError):
        return OTHER_PROTOCOL
    if isinstance(error, TimeoutError):
        return GREETING_MISSING
    if isinstance(error, (ConnectionError, EOFError)):
        return CLOSED_AT_ONCE
    return FAILED


def _diagnose_login(error: BaseException) -> Diagnosis:
    if isinstance(error, TimeoutError):
        return LOGIN_SILENT
    if isinstance(error, OSError):
        return LOGIN_CUT
    number = server_error(error)
    if number is None:
        return UNSUPPORTED_LOGIN
    if number == _ACCESS_DENIED:
        # Without a password MySQL says "using password: NO": the one place where it tells the two cases apart.
        return PASSWORD_MISSING if re.search(r"using password: NO\b", str(error)) else PASSWORD_WRONG
    return BY_SERVER_ERROR.get(number, REFUSED_BY_SERVER)


def server_error(error: BaseException) -> int | None:
    """The MySQL error number that `error` carries, or None."""
    if isinstance(error, MySQLError) and error.args and isinstance(error.args[0], int):
        return error.args[0]
    return None


def error_text(error: BaseException) -> str:
    """The error in its origin's own words, on one line; empty where it has none (a timeout)."""
    number = server_error(error)
    if number is not None and len(error.args) > 1:
        text = f"{error.args[1]} (error {number})"
    elif isinstance(error, OSError) and error.strerror:
        text = error.strerror
    else:
        text = str(error)
    # A server's message goes to a terminal: it must not move the cursor there.
    return "".join(letter if letter.isprintable() else " " for letter in text)
