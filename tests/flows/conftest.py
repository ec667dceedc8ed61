"""The clients that people use with AWS, unchanged, on a running `lb up`: the AWS CLI, boto3, Ansible and Terraform.

Each file here is one client or one promise of the endpoint. `endpoint` is an `lb up` of its own for each test, a process on
free ports with an empty data folder; `targets` are the ports of two web servers, which any number of tests share.
"""

import pytest

from tests.flows.endpoint import running_endpoint
from tests.support.lb_process import web_servers


@pytest.fixture
def endpoint(tmp_path):
    """A running `lb up`."""
    with running_endpoint(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def targets():
    """The ports of Web Server 1 and Web Server 2 on 127.0.0.1."""
    with web_servers(1, 2) as ports:
        yield [ports[1], ports[2]]
