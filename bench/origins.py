"""The two origin servers behind every peer: nginx, one process each, the pages of the lesson and bodies of fixed size.

Paths: `/bodies/SIZE` SIZE bytes from a file; `/upload` reads a whole body and answers 204; `/forwarded` repeats the
forwarded headers that arrived, which is how a peer is checked to do the same work as the others; all others 48 bytes.
"""

from collections.abc import Iterable
from pathlib import Path

from bench.nginx_conf import CONNECTIONS, main_block, temp_paths
from bench.peers.base import not_installed
from bench.processes import Processes, free_ports

_START_LIMIT_S = 10.0
_FORWARDED = (
    "server={};connection=$connection;for=$http_x_forwarded_for;"
    "proto=$http_x_forwarded_proto;port=$http_x_forwarded_port"
)
_CHUNK = b"0123456789abcdef" * 4096


def missing() -> str | None:
    """Return why there can be no origin servers on this machine; None when there can."""
    return not_installed("nginx", "nginx-light")


def start_origins(
    processes: Processes, directory: Path, *, cores: tuple[int, ...], body_sizes: Iterable[int]
) -> tuple[int, ...]:
    """Start both servers below `directory` and return their ports. Raises StartError."""
    bodies = directory / "bodies"
    bodies.mkdir()
    for size in body_sizes:
        whole, rest = divmod(size, len(_CHUNK))
        (bodies / str(size)).write_bytes(_CHUNK * whole + _CHUNK[:rest])
    ports = free_ports(2)
    for number, port in enumerate(ports, 1):
        home = directory / f"origin{number}"
        home.mkdir()
        path = home / "nginx.conf"
        path.write_text(_config(number, port, home, directory))
        argv = ["nginx", "-e", "stderr", "-p", str(home), "-c", str(path)]
        name = f"origin server {number} (nginx)"
        started = processes.start(name, argv, cores=cores, directory=home, output=home / "output.log")
        processes.wait_until_listening(started, port, limit_s=_START_LIMIT_S)
    return tuple(ports)


def _config(number: int, port: int, home: Path, root: Path) -> str:
    # /upload: nginx would answer `return 204` before the body has come. Buffered and passed on without the body to
    # /sunk, the request is answered when all of it was read.
    return f"""{main_block(home)}
events {{ worker_connections {CONNECTIONS}; }}
http {{
{temp_paths(home)}
    access_log off;
    sendfile on;
    keepalive_timeout 300s;
    keepalive_requests 100000000;
    client_max_body_size 64m;
    client_body_buffer_size 16m;
    upstream self {{
        server 127.0.0.1:{port};
        keepalive 64;
        keepalive_requests 100000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            default_type text/html;
            return 200 "<html><body><p> Web Server {number} </p></body></html>\\n";
        }}
        location /bodies/ {{
            root {root};
        }}
        location = /upload {{
            proxy_pass http://self/sunk;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            proxy_pass_request_body off;
        }}
        location = /sunk {{
            return 204;
        }}
        location = /forwarded {{
            default_type text/plain;
            return 200 "{_FORWARDED.format(number)}";
        }}
    }}
}}
"""
