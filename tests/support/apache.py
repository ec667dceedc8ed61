"""A real Apache with PHP on loopback: started from a configuration written here, stopped by its process id.

Nothing of the machine's own Apache is used but its modules, and nothing outside one temporary directory is written.
"""

import contextlib
import dataclasses
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.ports import free_port

START_LIMIT_S = 60.0
STOP_LIMIT_S = 30.0

_MODULE_DIRECTORIES = (Path("/usr/lib/apache2/modules"), Path("/usr/lib64/httpd/modules"))

# mod_php is not thread-safe as Debian builds it, hence prefork. Log and unixd are compiled in on Debian.
_MODULES = ("mpm_prefork", "authz_core", "dir", "mime", "headers")

_CONFIGURATION = """\
ServerName localhost
ServerRoot "{root}"
Listen 127.0.0.1:{port}
PidFile "{root}/apache.pid"
ErrorLog "{root}/error.log"
{modules}
{user}
TypesConfig /etc/mime.types
DocumentRoot "{docroot}"
DirectoryIndex index.html
<Directory "{docroot}">
    Require all granted
</Directory>
<FilesMatch "\\.php$">
    SetHandler application/x-httpd-php
</FilesMatch>
StartServers 2
MinSpareServers 1
MaxSpareServers 4
{includes}
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Apache:
    """A running Apache.

    `root` is its temporary directory: `docroot` (a copy of what was given), `state` (writable by the server) and
    `error.log` are in it.
    """

    pid: int
    port: int
    root: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def docroot(self) -> Path:
        return self.root / "site" / "docroot"

    @property
    def state(self) -> Path:
        return self.root / "state"

    def error_log(self) -> str:
        return (self.root / "error.log").read_text(errors="replace")


@dataclasses.dataclass(frozen=True, slots=True)
class _Installation:
    program: Path
    modules: Path
    php: Path


@contextlib.contextmanager
def running_apache(
    docroot: Path,
    *,
    port: int | None = None,
    beside_docroot: Sequence[Path] = (),
    snippets: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Apache]:
    """Serves a copy of `docroot` with PHP on 127.0.0.1 until the block ends.

    `port`: a free one when None. `beside_docroot`: directories copied next to the document root, as PHP's includes are.
    `snippets`: configuration files loaded after our own. `environment`: what PHP's getenv() sees besides PATH.
    Skips the test when the machine has no Apache with mod_php; raises RuntimeError, with the error log, when Apache
    does not start.
    """
    installation = _installation()
    # Not pytest's tmp_path: that is closed to other users, and Apache started by root serves as www-data.
    root = Path(tempfile.mkdtemp(prefix="lb-apache-"))
    try:
        with _started(installation, root, docroot, port, beside_docroot, snippets, environment or {}) as apache:
            yield apache
    finally:
        shutil.rmtree(root)


@contextlib.contextmanager
def _started(
    installation: _Installation,
    root: Path,
    docroot: Path,
    port: int | None,
    beside_docroot: Sequence[Path],
    snippets: Sequence[Path],
    environment: Mapping[str, str],
) -> Iterator[Apache]:
    site = root / "site"
    shutil.copytree(docroot, site / "docroot")
    for directory in beside_docroot:
        shutil.copytree(directory, site / directory.name)
    (root / "state").mkdir()
    user = ""
    if os.geteuid() == 0:
        account = pwd.getpwnam("www-data")
        user = "User www-data\nGroup www-data"
        os.chown(root / "state", account.pw_uid, account.pw_gid)
        _open_to_all(root)
    port = free_port() if port is None else port
    configuration = root / "apache.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            root=root,
            port=port,
            docroot=site / "docroot",
            modules=_load_modules(installation),
            user=user,
            includes="\n".join(f'Include "{snippet.resolve()}"' for snippet in snippets),
        )
    )
    # A session of its own: Apache takes SIGWINCH, which a terminal sends when its window changes, as an order to stop.
    with (root / "stderr.log").open("wb") as stderr:
        process = subprocess.Popen(
            [installation.program, "-f", configuration, "-D", "FOREGROUND"],
            env={"PATH": os.defpath, "WEB_STATE_DIR": str(root / "state"), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(process, port, root)
        yield Apache(pid=process.pid, port=port, root=root)
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _installation() -> _Installation:
    program = shutil.which("apache2", path=f"{os.defpath}:/usr/sbin:{os.environ.get('PATH', '')}")
    if program is None:
        pytest.skip("no Apache on this machine (Debian: apt-get install apache2 libapache2-mod-php)")
    for modules in _MODULE_DIRECTORIES:
        for php in sorted(modules.glob("libphp*.so")):
            return _Installation(Path(program), modules, php)
    pytest.skip("no PHP module for Apache on this machine (Debian: apt-get install libapache2-mod-php)")


def _load_modules(installation: _Installation) -> str:
    lines = [f"LoadModule {name}_module {installation.modules}/mod_{name}.so" for name in _MODULES]
    lines.append(f"LoadModule php_module {installation.php}")
    return "\n".join(lines)


def _open_to_all(root: Path) -> None:
    root.chmod(0o755)
    for path in (root / "site").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, root: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
            continue
        return
    logs = "\n".join(path.read_text(errors="replace") for path in sorted(root.glob("*.log")))
    raise RuntimeError(f"Apache did not start within {START_LIMIT_S:.0f} s:\n{logs}")
