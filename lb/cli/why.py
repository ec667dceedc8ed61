"""`lb why`: why a request that has happened went where it went, how long it took, and why it failed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import click

from lb.cli.api_client import ApiClient
from lb.cli.options import api_option
from lb.cli.walk_text import walk_text

Json = dict[str, Any]


@click.command()
@click.argument("trace_id")
@api_option
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def why(trace_id: str, api: str, as_json: bool) -> None:
    """Tell why a request that has happened went where it went, how long it took, and why it failed.

    TRACE_ID is what the access log and the header X-Amzn-Trace-Id have, with or without "Root="; or a connection's
    TID_... for its requests. A running balancer knows its last 1,000 requests.

    The rules are those of that moment. The targets and their states are those of now, and the output says so.

    \b
    Examples:
      lb why 1-67891233-abcdef012345678912345678
      lb why Root=1-67891233-abcdef012345678912345678 --json
      lb why "$(tail -1 lb-data/logs/access.log | grep -o 'Root=[^";]*')"

    \b
    Exit codes: 0 explained, 1 not possible (no such request),
    2 wrong usage, 3 no balancer answers.
    """
    if not trace_id.strip():
        raise click.BadParameter("is empty", param_hint="'TRACE_ID'")
    told = ApiClient(api).get("/_lb/why?" + urlencode({"id": trace_id}))
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    requests = told["requests"]
    if len(requests) > 1:
        click.echo(f"{len(requests)} requests have this id, the last one first\n")
    click.echo("\n\n".join("\n".join(_text(each)) for each in requests))


def _text(told: Json) -> Iterator[str]:
    yield told["cause"]
    request = told["request"]
    line = f"{request['method']} {request['host']} {request['uri']}" if request else "a request that could not be read"
    yield f"  {line} from {told['client']}"
    yield f"  {told['trace_id'] or 'no trace id'}, {told['connection_id']}"
    yield from _timings(told)
    yield from _result(told["result"])
    if told["walk"] is not None:
        yield from walk_text(told["walk"])
    yield from (f"note: {note}" for note in told["notes"])


def _timings(told: Json) -> Iterator[str]:
    times = told["timings"]
    received = datetime.fromtimestamp(told["received_at_s"], UTC).isoformat(timespec="milliseconds")
    yield "timings"
    yield f"  received       {received.replace('+00:00', 'Z')}"
    idle = times["connection_idle_s"]
    reused = f", on a connection that had been idle for about {idle:g} s" if idle is not None else ""
    for name, key, more in (
        ("to the target", "sent_after_s", reused),
        ("first byte", "first_byte_after_s", ""),
        ("target gone", "target_gone_after_s", ""),
        ("end", "ended_after_s", ""),
    ):
        if times[key] is not None:
            yield f"  {name:14} +{times[key]:.6f} s{more}"
    yield (
        "  access log     request {request_processing_time:g}, target {target_processing_time:g}, "
        "response {response_processing_time:g}".format_map(times)
    )


def _result(result: Json) -> Iterator[str]:
    yield "what was done"
    if result["rule"] is not None:
        yield f"  rule {result['rule']}: {result['actions_executed'] or 'nothing'}"
    if result["target_group"]:
        yield f"  target group {result['target_group']}"
        yield f"  target {result['target'] or 'none'}"
    if result["error_reason"]:
        yield f"  error reason {result['error_reason']}"
    cut = ", then cut" if result["cut"] else ""
    yield f"  status {result['status']}, of the target {result['target_status'] or 'none'}{cut}"
    yield f"  {result['received_bytes']} bytes received, {result['sent_bytes']} bytes sent"
