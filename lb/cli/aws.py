"""ELB's API of a running balancer, for the commands that act through it: a botocore client, and all that it tells."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Final

import click
from botocore.client import BaseClient  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's, which is no OSError
    HTTPClientError,
)
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]
from botocore.session import Session  # type: ignore[import-untyped]

from lb.cli.api_client import DEFAULT_API, NoBalancerError, RefusedError
from lb.cli.options import credentials
from lb.export.snapshot import Json, Snapshot, attributes_of, registered, tags_of

_TAGS_PER_CALL: Final = 20
_TIMEOUT_S: Final = 30


def client_of(service: str, api: str, region: str) -> BaseClient:
    """A client of the balancer's API, whatever AWS profile, endpoint or proxy this shell is set up for.

    Raises click.BadParameter for an `api` that is no address.
    """
    unset = (None, None, None, None)
    files = (None, None, os.devnull, None)
    session = Session(session_vars={"profile": unset, "config_file": files, "credentials_file": files})
    access_key, secret_key = credentials()
    try:
        return session.create_client(
            service,
            endpoint_url=api,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                proxies={}, read_timeout=_TIMEOUT_S, connect_timeout=_TIMEOUT_S, retries={"total_max_attempts": 1}
            ),
        )
    except (ValueError, BotoCoreError) as error:
        raise click.BadParameter(f"{error} (an address is such as {DEFAULT_API})", param_hint="'--api'") from error


@contextlib.contextmanager
def one_line_errors(api: str) -> Iterator[None]:
    """What goes wrong with calls as click.ClickException: RefusedError (the balancer said no), NoBalancerError, others."""
    try:
        yield
    except ClientError as error:
        code, message = (error.response.get("Error", {}).get(member, "") for member in ("Code", "Message"))
        if code.isdigit():
            # A status and no document of ELB.
            raise _stranger(api) from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise RefusedError(status, code, f"{error.operation_name}: {message or code}") from error
    except ResponseParserError as error:
        raise _stranger(api) from error
    except (ConnectionError, HTTPClientError) as error:
        how = "start one with 'lb up', or name its API with --api"
        raise NoBalancerError(f"no balancer answers at {api}: {how} ({error})") from error
    except BotoCoreError as error:
        raise click.ClickException(" ".join(str(error).split())) from error


def _stranger(api: str) -> NoBalancerError:
    return NoBalancerError(f"what answers at {api} is not a balancer's API: name it with --api")


def read_all(client: BaseClient) -> Snapshot:
    """Everything that ELB's API of the balancer describes. Raises botocore's errors."""
    return _Reader(client).snapshot()


class _Reader:
    def __init__(self, client: BaseClient) -> None:
        self._client = client

    def snapshot(self) -> Snapshot:
        balancers = self._all("describe_load_balancers", "LoadBalancers")
        groups = self._all("describe_target_groups", "TargetGroups")
        balancer_arns = [each["LoadBalancerArn"] for each in balancers]
        group_arns = [each["TargetGroupArn"] for each in groups]
        listeners = [
            each for arn in balancer_arns for each in self._all("describe_listeners", "Listeners", LoadBalancerArn=arn)
        ]
        listener_arns = [each["ListenerArn"] for each in listeners]
        rules = {arn: tuple(self._all("describe_rules", "Rules", ListenerArn=arn)) for arn in listener_arns}
        rule_arns = [rule["RuleArn"] for each in rules.values() for rule in each if not rule["IsDefault"]]
        call = self._client
        return Snapshot(
            load_balancers=tuple(balancers),
            listeners=tuple(listeners),
            target_groups=tuple(groups),
            rules=rules,
            certificates={arn: self._certificates(arn) for arn in listener_arns},
            targets={
                arn: registered(call.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"])
                for arn in group_arns
            },
            attributes={
                **{arn: _told(call.describe_load_balancer_attributes(LoadBalancerArn=arn)) for arn in balancer_arns},
                **{arn: _told(call.describe_listener_attributes(ListenerArn=arn)) for arn in listener_arns},
                **{arn: _told(call.describe_target_group_attributes(TargetGroupArn=arn)) for arn in group_arns},
            },
            tags=self._tags([*balancer_arns, *listener_arns, *rule_arns, *group_arns]),
        )

    def _all(self, operation: str, member: str, **params: str) -> list[Json]:
        pages = self._client.get_paginator(operation).paginate(**params)
        return [item for page in pages for item in page[member]]

    def _certificates(self, listener: str) -> tuple[str, ...]:
        listed = self._all("describe_listener_certificates", "Certificates", ListenerArn=listener)
        return tuple([each["CertificateArn"] for each in listed if not each.get("IsDefault")])

    def _tags(self, arns: list[str]) -> dict[str, dict[str, str]]:
        described: list[Json] = []
        for first in range(0, len(arns), _TAGS_PER_CALL):
            some = arns[first : first + _TAGS_PER_CALL]
            described += self._client.describe_tags(ResourceArns=some)["TagDescriptions"]
        return {each["ResourceArn"]: tags_of(each["Tags"]) for each in described if each["Tags"]}


def _told(answer: dict[str, Any]) -> dict[str, str]:
    return attributes_of(answer["Attributes"])
