"""`lb import`: a production balancer, as the AWS CLI describes it, on this machine."""

import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from lb.cli.aws import client_of, one_line_errors
from lb.cli.options import api_option
from lb.export.calls import MADE, ApiCall, calls
from lb.export.describe import UnknownResourceError, describe
from lb.export.description import Description
from lb.export.documents import DocumentError, read_documents
from lb.export.localize import Address, Localized, Wishes, localize
from lb.export.names import Ref, one_line
from lb.export.snapshot import Snapshot
from lb.model.names import DEFAULT_ACCOUNT_ID

_WHERE: Final = "HOST:PORT, such as 127.0.0.1:8081"
# What takes back a resource, by the kind of its reference, and how it calls the resource.
_UNDO: Final = {
    "load_balancer": ("delete_load_balancer", "LoadBalancerArn"),
    "target_group": ("delete_target_group", "TargetGroupArn"),
}


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--map", "targets", multiple=True, metavar="ID=HOST:PORT", help="A target's place here; ID may be ID:PORT."
)
@click.option(
    "--map-group", "groups", multiple=True, metavar="NAME=HOST:PORT,...", help="The targets of a target group here."
)
@click.option("--instances", is_flag=True, help="Start embedded web servers for targets without a place.")
@click.option("--port", "ports", multiple=True, metavar="PORT=PORT", help="Moves listeners: 443=8443.")
@click.option("--region", help="Region to bring it up in.  [default: the one that it is from]")
@click.option("--dry-run", is_flag=True, help="Only tell what would be made and what is lost.")
@api_option
@click.option("--json", "as_json", is_flag=True, help="Print what was made, and the notes, as JSON.")
def import_(
    files: tuple[Path, ...],
    targets: tuple[str, ...],
    groups: tuple[str, ...],
    instances: bool,
    ports: tuple[str, ...],
    region: str | None,
    dry_run: bool,
    api: str,
    as_json: bool,
) -> None:
    """Bring up Application Load Balancers of AWS here, from what 'aws elbv2 describe-...' prints about them.

    FILES are its JSON, or folders of it: describe-load-balancers, describe-listeners, describe-rules,
    describe-target-groups, describe-tags; describe-target-health and describe-...-attributes in one file each, whose
    name ends in the name of the target group or load balancer (NAME-PORT for a listener). HTTPS listeners become HTTP,
    targets those of --map and --map-group. Whatever cannot be carried is told, a line each, on standard error. Where a
    call fails, all that was made before is deleted again.

    \b
    Examples:
      lb import prod/ --dry-run
      lb import prod/ --port 443=8443 --port 80=8080 --map i-0abc=127.0.0.1:8081
      lb import prod/ --map-group web=127.0.0.1:8081,127.0.0.1:8082
      lb import prod/ --instances

    \b
    Exit codes: 0 made, 1 the files cannot be used or the balancer refused,
    2 wrong usage, 3 no balancer answers.
    """
    snapshot = _read(files)
    region = region or _region(snapshot)
    wishes = Wishes(
        region=region,
        account=DEFAULT_ACCOUNT_ID,
        ports=_ports(ports),
        targets={key: _address(place, "'--map'") for key, place in _pairs(targets, "'--map'")},
        groups={
            name: tuple([_address(place, "'--map-group'") for place in places.split(",")])
            for name, places in _pairs(groups, "'--map-group'")
        },
        instances=instances,
    )
    _check_names(snapshot, wishes)
    moved, description = _localized(snapshot, wishes)
    if not (description.load_balancers or description.target_groups):
        raise click.ClickException("nothing in the files can be brought up here: " + "; ".join(moved.notes))
    if not as_json:
        for note in moved.notes:
            click.echo(f"note: {one_line(note)}", err=True)
    made = _planned(description) if dry_run else _Maker(api, region).make(description)
    if as_json:
        click.echo(json.dumps({"region": region, "dry_run": dry_run, "made": made, "notes": moved.notes}, indent=2))
        return
    for line in made:
        click.echo(
            f"{'would make' if dry_run else 'made'} {line['what']}" + (f"  {line['arn']}" if line["arn"] else "")
        )


# The command line


def _pairs(texts: tuple[str, ...], option: str) -> Iterator[tuple[str, str]]:
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise click.BadParameter(f"'{text}' has no '=' with something on both sides", param_hint=option)
        yield key, value


def _address(text: str, option: str) -> Address:
    host, _, port = text.strip().rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.strip("[]")
    if not (_is_address(host) and _is_port(port)):
        raise click.BadParameter(f"'{text}' is not {_WHERE}", param_hint=option)
    return host, int(port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text) < 65536


def _ports(texts: tuple[str, ...]) -> dict[int, int]:
    ports = {}
    for there, here in _pairs(texts, "'--port'"):
        if not (_is_port(there) and _is_port(here)):
            raise click.BadParameter(f"'{there}={here}' is not two ports, such as 443=8443", param_hint="'--port'")
        ports[int(there)] = int(here)
    return ports


def _check_names(snapshot: Snapshot, wishes: Wishes) -> None:
    """Raises click.BadParameter for a mapping of something that is not there: most likely a mistyped one."""
    groups = {group["TargetGroupName"] for group in snapshot.target_groups}
    if unknown := wishes.groups.keys() - groups:
        have = ", ".join(sorted(groups)) or "none"
        raise click.BadParameter(
            f"no target group '{min(unknown)}' in the files; they have {have}", param_hint="'--map-group'"
        )
    given = [target for each in snapshot.targets.values() for target in each]
    targets = {name for each in given for name in (each["Id"], f"{each['Id']}:{each.get('Port', '')}")}
    if unknown := wishes.targets.keys() - targets:
        raise click.BadParameter(f"no target '{min(unknown)}' in the files", param_hint="'--map'")
    ports = {listener.get("Port") for listener in snapshot.listeners}
    if strange := wishes.ports.keys() - ports:
        raise click.BadParameter(f"no listener on port {min(strange)} in the files", param_hint="'--port'")


# The files


def _read(files: tuple[Path, ...]) -> Snapshot:
    documents = []
    for path in files:
        for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
            documents += [(file.stem, value) for value in _values(file)]
    try:
        snapshot = read_documents(documents)
    except DocumentError as error:
        raise click.ClickException(str(error)) from error
    if not (snapshot.load_balancers or snapshot.target_groups):
        raise click.ClickException("the files have neither LoadBalancers nor TargetGroups: nothing to import")
    return snapshot


def _values(file: Path) -> Iterator[Any]:
    """The JSON values of a file: there may be several, one after another."""
    try:
        text = file.read_text("utf-8-sig").strip()
        while text:
            value, end = json.JSONDecoder().raw_decode(text)
            yield value
            text = text[end:].lstrip()
    except (OSError, ValueError, RecursionError) as error:
        raise click.ClickException(f"{file}: cannot be read as JSON: {error}") from error


def _region(snapshot: Snapshot) -> str:
    arns = [each["LoadBalancerArn"] for each in snapshot.load_balancers]
    arns += [each["TargetGroupArn"] for each in snapshot.target_groups]
    regions: list[str] = sorted({arn.split(":")[3] for arn in arns if arn.count(":") > 4})
    if len(regions) != 1:
        have = ", ".join(regions) or "no region"
        raise click.ClickException(f"the files are of {have}: name one with --region")
    return regions[0]


def _localized(snapshot: Snapshot, wishes: Wishes) -> tuple[Localized, Description]:
    try:
        moved = localize(snapshot, wishes)
        return moved, describe(moved.snapshot)
    except UnknownResourceError as error:
        raise click.ClickException(str(error)) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise click.ClickException(f"the files are not what 'aws elbv2 describe-...' prints: {error!r}") from error


# Making it


def _planned(description: Description) -> list[dict[str, str]]:
    return [{"what": _what(call), "arn": ""} for call in calls(description) if call.makes is not None]


def _what(call: ApiCall) -> str:
    params = call.params
    match call.operation:
        case "CreateTargetGroup":
            return f"target group {params['Name']}"
        case "CreateLoadBalancer":
            return f"load balancer {params['Name']}"
        case "CreateListener":
            return f"listener {params['Protocol']}:{params['Port']}"
    return f"rule {params['Priority']}"


class _Maker:
    """Makes what a description says, through the API of a running balancer."""

    def __init__(self, api: str, region: str) -> None:
        self._api = api
        self._region = region
        self._elb = client_of("elbv2", api, region)
        self._values: dict[Ref, str] = {}
        self._undo: list[Callable[[], object]] = []

    def make(self, description: Description) -> list[dict[str, str]]:
        """What was made, with ARNs. Raises RefusedError and NoBalancerError; then nothing is left of it."""
        with one_line_errors(self._api):
            self._refuse_names_in_use(description)
        try:
            with one_line_errors(self._api):
                self._give(description)
                return [made for call in calls(description) if (made := self._make(call)) is not None]
        except click.ClickException:
            self._take_back()
            raise

    def _refuse_names_in_use(self, description: Description) -> None:
        groups = {group.properties["Name"] for group in description.target_groups}
        balancers = {balancer.properties["Name"] for balancer in description.load_balancers}
        pages = self._elb.get_paginator("describe_target_groups").paginate()
        groups &= {group["TargetGroupName"] for page in pages for group in page["TargetGroups"]}
        pages = self._elb.get_paginator("describe_load_balancers").paginate()
        balancers &= {balancer["LoadBalancerName"] for page in pages for balancer in page["LoadBalancers"]}
        for kind, names in (("load balancer", balancers), ("target group", groups)):
            if names:
                raise click.ClickException(
                    f"there is a {kind} '{min(names)}' here already: delete it, then import again"
                )

    def _give(self, description: Description) -> None:
        instances = []
        for given in description.given:
            if given.ref.kind == "instance":
                instances.append(given.ref)
            elif given.value is not None:
                self._values[given.ref] = given.value
        if instances:
            self._start(instances)

    def _start(self, refs: list[Ref]) -> None:
        """Embedded web servers."""
        ec2 = client_of("ec2", self._api, self._region)
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        started = ec2.run_instances(ImageId=image, MinCount=len(refs), MaxCount=len(refs))["Instances"]
        ids = [instance["InstanceId"] for instance in started]
        self._undo.append(lambda: ec2.terminate_instances(InstanceIds=ids))
        self._values |= dict(zip(refs, ids, strict=True))
        ec2.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig={"Delay": 1, "MaxAttempts": 30})

    def _make(self, call: ApiCall) -> dict[str, str] | None:
        operation: Callable[..., Any] = getattr(self._elb, _method(call.operation))
        answer = operation(**_resolved(call.params, self._values))
        if call.makes is None:
            return None
        items, member = MADE[call.operation]
        arn: str = answer[items][0][member]
        self._values[call.makes] = arn
        if call.makes.kind in _UNDO:
            method, argument = _UNDO[call.makes.kind]
            self._undo.append(lambda: getattr(self._elb, method)(**{argument: arn}))
        return {"what": _what(call), "arn": arn}

    def _take_back(self) -> None:
        """Deletes what was made; load balancers were made last, so target groups are out of use when their turn comes."""
        for undo in reversed(self._undo):
            try:
                with one_line_errors(self._api):
                    undo()
            except click.ClickException as error:
                click.echo(f"left behind: {error.message}", err=True)


def _method(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")


def _resolved(value: Any, values: Mapping[Ref, str]) -> Any:
    match value:
        case Ref():
            return values[value]
        case dict():
            return {member: _resolved(each, values) for member, each in value.items()}
        case list():
            return [_resolved(each, values) for each in value]
    return value
