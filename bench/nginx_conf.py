"""The parts of an nginx configuration shared by nginx the peer and nginx the origin server."""

import os
import pwd
from pathlib import Path

from bench.processes import run_command

CONNECTIONS = 8192
"""Connections that one worker can hold: 2,000 idle clients, their targets and room."""

_TEMP_PATHS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_VERSION_LIMIT_S = 10.0


def main_block(directory: Path) -> str:
    """Return the top of a configuration: in the foreground, one worker, every file inside `directory`."""
    # Started by root, nginx changes to another user, who could not read the private directory of the run.
    user = f"user {pwd.getpwuid(os.geteuid()).pw_name};\n" if os.geteuid() == 0 else ""
    return f"""{user}daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr warn;"""


def temp_paths(directory: Path) -> str:
    """Return the directives that keep temporary files in `directory`, for the modules that this nginx has."""
    build = run_command(["nginx", "-V"], limit_s=_VERSION_LIMIT_S)
    there = [name for name in _TEMP_PATHS if f"--without-http_{name}_module" not in build]
    return "\n".join(f"    {name}_temp_path {directory}/{name};" for name in there)
