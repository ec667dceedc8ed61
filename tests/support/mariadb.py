"""A real MariaDB server for tests: a data directory of its own, a loopback port of its own, gone afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.ports import free_port

USER = "web"
PASSWORD = "s3cret päss 비밀"  # neither ASCII nor Latin-1: passwords are bytes to MySQL
DATABASE = "shop"
TLS_USER = "tls-only"
LIMITED_USER = "one-at-a-time"

_START_S = 180
_STOP_S = 30

_SETUP = f"""
CREATE DATABASE {DATABASE};
CREATE DATABASE forbidden;
CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';
CREATE USER '{TLS_USER}'@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;
CREATE USER '{LIMITED_USER}'@'%' IDENTIFIED BY '{PASSWORD}' WITH MAX_USER_CONNECTIONS 1;
CREATE USER 'system'@'%' IDENTIFIED VIA unix_socket;
GRANT ALL ON {DATABASE}.* TO '{USER}'@'%';
"""


@dataclass(frozen=True)
class MariaDB:
    """A running server. `user` may use `database` with `password`; it may not use the database `forbidden`."""

    host: str
    port: int
    socket: Path
    has_tls: bool
    user: str = USER
    password: str = PASSWORD
    database: str = DATABASE

    def administer(self, sql: str) -> None:
        """Runs statements as the server's administrator."""
        client = shutil.which("mariadb") or shutil.which("mysql")
        assert client, "the server's package brings the client along"
        subprocess.run(
            [client, "--no-defaults", f"--socket={self.socket}", "--user=root"],
            input=sql.encode(),
            check=True,
            capture_output=True,
            timeout=120,
        )


def make_certificate(directory: Path) -> tuple[Path, Path] | None:
    """A self-signed certificate and its key; None where there is no openssl command."""
    openssl = shutil.which("openssl")
    if not openssl:
        return None
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lb test",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    for file in (key, certificate):
        file.chmod(0o644)
    return certificate, key


def _await_start(server: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except OSError:
                time.sleep(0.1)
            else:
                return
    raise RuntimeError(f"the MariaDB server did not start:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB server with the users and databases of `_SETUP`, shared by the whole session."""
    # Debian keeps servers in sbin, which is not on every user's path.
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    daemon = shutil.which("mariadbd", path=path) or shutil.which("mysqld", path=path)
    install = shutil.which("mariadb-install-db", path=path) or shutil.which("mysql_install_db", path=path)
    if not daemon:
        pytest.skip("no MySQL-protocol server on this machine (mariadbd or mysqld; Debian: mariadb-server)")
    if not install:
        pytest.skip("no mariadb-install-db on this machine (Debian: mariadb-server)")

    with tempfile.TemporaryDirectory(prefix="lb-mariadb-") as directory:
        yield from _running(daemon, install, Path(directory))


def _running(daemon: str, install: str, directory: Path) -> Iterator[MariaDB]:
    data = directory / "data"
    data.mkdir()
    as_user: list[str] = []
    if os.geteuid() == 0:
        # The server refuses to run as root. Not in pytest's folders: another session takes everyone's right to pass away.
        as_user = ["--user=mysql"]
        shutil.chown(directory, "mysql")
        shutil.chown(data, "mysql")
    certificate = make_certificate(directory)
    tls = [f"--ssl-cert={certificate[0]}", f"--ssl-key={certificate[1]}"] if certificate else []
    log = directory / "server.log"
    path_of_socket = data / "s"
    with log.open("wb") as output:
        subprocess.run(
            [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
             "--skip-test-db", *as_user],
            check=True, stdout=output, stderr=subprocess.STDOUT, timeout=_START_S,
        )  # fmt: skip
        port = free_port()
        server = subprocess.Popen(
            [daemon, "--no-defaults", f"--datadir={data}", f"--socket={path_of_socket}", f"--port={port}",
             "--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-buffer-pool-size=16M",
             "--performance-schema=OFF", "--plugin-load-add=auth_socket", *tls, *as_user],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _await_start(server, path_of_socket, log)
        running = MariaDB("127.0.0.1", port, path_of_socket, has_tls=bool(tls))
        running.administer(_SETUP)
        yield running
    finally:
        server.terminate()
        try:
            server.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
