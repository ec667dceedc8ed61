"""Which of the finished requests somebody wants to see (docs/local-api.md). Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from lb.http.record import RequestRecord
from lb.observe.request_view import host_of, is_error
from lb.observe.target_names import TargetNames

_STATUS: Final = re.compile(r"[1-5]xx|[1-9][0-9]{2}|error")
Test = Callable[[RequestRecord], bool]


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """All that is not empty must hold. Names of load balancers and target groups are ARNs or names."""

    load_balancer: str = ""
    target_group: str = ""
    target: str = ""
    status: str = ""
    text: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        """From the parameters of a URL; others are left alone. Raises ValueError for a status that is none."""
        status = given.get("status", "").lower()
        if status and not _STATUS.fullmatch(status):
            raise ValueError("status must be 1xx to 5xx, a code such as 502, or error")
        return cls(
            given.get("load_balancer", ""),
            given.get("target_group", ""),
            given.get("target", ""),
            status,
            given.get("text", "").lower(),
        )

    def tests(self, names: TargetNames) -> tuple[Test, ...]:
        """What a request must pass; nothing where everything does."""
        tests: list[Test] = []
        if self.load_balancer:
            tests.append(lambda record: is_load_balancer(self.load_balancer, record.origin.load_balancer))
        if self.target_group:
            tests.append(lambda record: is_target_group(self.target_group, record.target_group_arn))
        if self.target:
            tests.append(lambda record: self._is_target(record, names))
        if self.status:
            tests.append(self._has_status)
        if self.text:
            tests.append(self._has_text)
        return tuple(tests)

    def _is_target(self, record: RequestRecord, names: TargetNames) -> bool:
        if not record.target:
            return False
        return self.target in (record.target, names.of(record.target_group_arn, record.target)[0])

    def _has_status(self, record: RequestRecord) -> bool:
        if self.status == "error":
            return is_error(record)
        if self.status.endswith("xx"):
            return record.status // 100 == int(self.status[0])
        return record.status == int(self.status)

    def _has_text(self, record: RequestRecord) -> bool:
        head = record.head
        parts = [record.client, record.target, record.trace_id.decode("latin-1"), host_of(record) or ""]
        if head is not None:
            parts += [head.method.decode("latin-1"), head.uri.decode("latin-1")]
        return any(self.text in part.lower() for part in parts)


def is_load_balancer(wanted: str, label: str) -> bool:
    """Whether `wanted`, an ARN, `app/NAME/ID` or a name, is the load balancer `app/NAME/ID`."""
    return wanted == label or wanted == label.split("/")[1] or wanted.endswith(f":loadbalancer/{label}")


def is_target_group(wanted: str, arn: str) -> bool:
    """Whether `wanted`, an ARN or a name, is the target group."""
    return arn != "" and (wanted == arn or wanted == arn.split("/")[-2])
