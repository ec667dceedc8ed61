"""`lb test`: a table of requests, and whether each goes where it is expected to go."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from lb.cli.api_client import DEFAULT_API, ApiClient, RefusedError
from lb.cli.case_file import load_cases
from lb.cli.explain import request_of, unstarted
from lb.cli.invalid_file import InvalidFileError
from lb.configfile.problems import ConfigError
from lb.configfile.reader import load_config
from lb.observe import cases
from lb.observe.cases import Case, Result, Unanswerable
from lb.observe.explain import Question, explain
from lb.routing.plan import PlanError, compile_plan

Json = dict[str, Any]
_Ask = Callable[[Case], Json]


@click.command("test")
@click.argument("file", metavar="CASES.yaml", type=click.Path(path_type=Path))
@click.option("--config", type=click.Path(path_type=Path), help="Ask this lb.yaml, whatever the table says.")
@click.option(
    "--api", default=DEFAULT_API, envvar="LB_API", show_envvar=True, show_default=True, help="Ask a balancer."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.pass_context
def test(ctx: click.Context, file: Path, config: Path | None, api: str, as_json: bool) -> None:
    """Check that the requests of a table go where they should: the rule, target group, redirect or status.

    The table names its configuration itself (config: lb.yaml), or --config does; otherwise, and with --api, a running
    balancer is asked. It is asked as 'lb explain' does: nothing is sent to a target, nothing is counted.

    \b
    A table:
      config: lb.yaml
      cases:
        - name: images go to the image servers
          request: GET http://shop.example:8080/img/a.png
          headers: {User-Agent: curl}
          from: 203.0.113.9
          expect: {rule: 10, target_group: images}

    \b
    Examples:
      lb test cases.yaml
      lb test cases.yaml --config next.yaml
      lb test cases.yaml --api http://127.0.0.1:9000 --json

    \b
    Exit codes: 0 all cases pass, 1 some fail, 2 wrong usage or not a
    valid file, 3 no balancer answers.
    """
    by_api = ctx.get_parameter_source("api") is ParameterSource.COMMANDLINE
    if by_api and config is not None:
        raise click.UsageError("give --config or --api, not both")
    try:
        table = load_cases(file)
        path = None if by_api else config or table.config
        ask = _from_balancer(ApiClient(api)) if path is None else _from_file(path)
    except (ConfigError, PlanError) as error:
        raise InvalidFileError(str(error)) from error
    results = []
    for result in cases.run(table.cases, ask):
        results.append(result)
        if not as_json:
            click.echo(_text(file, result))
    failed = sum(bool(result.faults) for result in results)
    passed = len(results) - failed
    if as_json:
        click.echo(
            json.dumps({"passed": passed, "failed": failed, "cases": [_json(each) for each in results]}, indent=2)
        )
    else:
        click.echo(f"{passed} passed, {failed} failed")
    ctx.exit(1 if failed else 0)


def _text(file: Path, result: Result) -> str:
    case = result.case
    if not result.faults:
        return f"ok      {case.name}"
    return "\n".join(
        (
            f"FAILED  {case.name} ({file}:{case.line})",
            f"        {case.method} {case.url} from {case.client_ip}",
            *(f"        {fault}" for fault in result.faults),
        )
    )


def _json(result: Result) -> Json:
    return {**asdict(result.case), "passed": not result.faults, "faults": list(result.faults)}


def _head(case: Case) -> str:
    return request_of(case.method, case.url, case.headers)[1]


def _from_file(path: Path) -> _Ask:
    """Asks a configuration file. Raises ConfigError and PlanError."""
    plan = compile_plan(load_config(path), {})
    situations = {listener.port: (listener, unstarted(plan, listener)) for listener in plan.listeners}

    def ask(case: Case) -> Json:
        if case.port not in situations:
            known = ", ".join(map(str, situations))
            raise Unanswerable(f"no listener of {path} has port {case.port}; there are {known}")
        listener, situation = situations[case.port]
        return explain(listener, Question(_head(case).encode("latin-1", "replace"), case.client_ip), situation)

    return ask


def _from_balancer(api: ApiClient) -> _Ask:
    def ask(case: Case) -> Json:
        call = {"port": case.port, "head": _head(case), "client_ip": case.client_ip}
        try:
            told: Json = api.post("/_lb/explain", call)
        except RefusedError as error:
            if error.code != "no-listener":
                raise
            raise Unanswerable(f"no listener of the balancer has port {case.port}") from error
        return told

    return ask
