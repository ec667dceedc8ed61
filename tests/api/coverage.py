"""`python -m tests.api.coverage` writes docs/coverage.md: every operation that is served, and the file that tests it.

Made of the operations as they are registered, the service models, and the tests: an operation is tested where its name is
called, so a file that stops doing so is named no longer.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from botocore.loaders import Loader

from lb.api.operations import OPERATIONS

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "coverage.md"
COMMAND: Final = "python -m tests.api.coverage"

_TITLES: Final[Mapping[str, str]] = {
    "elbv2": "Elastic Load Balancing v2",
    "ec2": "EC2",
    "sts": "STS",
    "iam": "IAM",
    "acm": "ACM",
    "cloudwatch": "CloudWatch",
    "rds": "RDS",
}
# Operations whose names match are kept and answered, and nothing that runs changes by them.
_RECORDS: Final[Mapping[str, str]] = {
    "elbv2": "TrustStore|ResourcePolicy|ListenerCertificates|SSLPolicies|CapacityReservation|IpPools|IpAddressType|Tags",
    "ec2": "Address|InternetGateway|Route|KeyPair|NetworkInterface|Vpc|Subnet|Tags|Volumes|NetworkAcls|DhcpOptions"
    "|IamInstanceProfile|CreditSpecifications|InstanceType|SecurityGroupEgress|DescriptionsEgress|DescriptionsIngress",
    "iam": "ServerCertificate",
    "acm": ".",
    "cloudwatch": "Alarms",
    "rds": "Tag|SubnetGroup|EngineVersions",
}
# Where every operation of a service is tried once for success and once for a refusal.
_EACH: Final[Mapping[str, str]] = {"elbv2": "tests/api/elbv2/test_through_boto3.py"}
_NOTE: Final = f"""# Operations of the AWS APIs

Made by `{COMMAND}`; a test fails when this page is behind.

- *served*: it acts on what runs here, or tells of it.
- *record only*: it is checked, kept and answered as AWS does, and nothing that runs changes by it.

What a service has beyond these is answered with `NotImplemented`, naming the operation. Every operation of Elastic Load
Balancing is tried through boto3 on a running balancer, once for success and once for a refusal
(`{_EACH["elbv2"]}`); the table names the file with its details. Deviations are in [fidelity.md](fidelity.md).
"""


def page() -> str:
    """The text of docs/coverage.md."""
    return "\n".join([_NOTE, *(_section(service, sorted(served)) for service, served in OPERATIONS.items())])


def files_that_call(service: str, operation: str) -> list[str]:
    """The test files that call an operation by its name, those with most calls first; relative to the project."""
    name = re.compile(rf"\b(?:{operation}|{_snake(operation)})\b")
    files = sorted((ROOT / "tests" / "api" / service).glob("test_*.py"))
    counts = {str(file.relative_to(ROOT)): len(name.findall(file.read_text())) for file in files}
    each = _EACH.get(service)
    return sorted((file for file, count in counts.items() if count and file != each), key=lambda file: -counts[file])


def _section(service: str, served: list[str]) -> str:
    everything = Loader().load_service_model(service, "service-2")["operations"]
    rows = [f"| `{name}` | {_how(service, name)} | {_test(service, name)} |" for name in served]
    if not everything.keys() - set(served):
        count = f"All {len(served)} operations."
    else:
        count = f"{len(served)} of {len(everything)} operations; the others are not served."
    head = [f"## {_TITLES[service]}", "", count, "", "| operation | | test |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])


def _how(service: str, operation: str) -> str:
    kept = _RECORDS.get(service)
    return "record only" if kept is not None and re.search(kept, operation) else "served"


def _test(service: str, operation: str) -> str:
    return _link(files_that_call(service, operation)[:1] or [_EACH[service]])


def _link(files: Iterable[str]) -> str:
    return ", ".join(f"[{Path(file).name}](../{file})" for file in files)


def _snake(operation: str) -> str:
    """The name of its handler, and of boto3's method."""
    parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", operation)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parted).lower()


if __name__ == "__main__":
    PAGE.write_text(page())
