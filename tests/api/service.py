"""Operations of any service called by name. What goes in and what comes out is held against the service model each time."""

import functools
from typing import Any

import botocore.session
from botocore.model import ServiceModel

from lb.api.call import ApiError
from lb.api.operations import OPERATIONS
from lb.api.wire.message import Protocol
from lb.api.wire.validate import check
from tests.api.aws_call import Aws
from tests.api.elbv2.elb import check_fits


@functools.cache
def model(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(name)


class Service:
    """One service in one account."""

    def __init__(self, aws: Aws, name: str) -> None:
        self.aws = aws
        self._name = name
        self._operations = OPERATIONS[name]

    def __call__(self, operation: str, *, region: str = "", **params: Any) -> Any:
        """Calls an operation and carries out what it changes."""
        described = model(self._name).operation_model(operation)
        if described.input_shape is not None:
            check(described.input_shape, params, Protocol.QUERY)
        result = self.aws.do(self._operations[operation], region=region, **params)
        if described.output_shape is None:
            assert result == {}
        else:
            check_fits(result, described.output_shape)
        return result

    def refused(self, operation: str, *, region: str = "", **params: Any) -> ApiError:
        """The error that an operation answers to parameters which fit the model.

        The status is the model's, where the model has the error.
        """
        described = model(self._name).operation_model(operation)
        if described.input_shape is not None:
            check(described.input_shape, params, Protocol.QUERY)
        error = self.aws.refused(self._operations[operation], region=region, **params)
        shape = model(self._name).shape_for_error_code(error.code)
        assert error.status == (400 if shape is None else shape.metadata.get("error", {}).get("httpStatusCode", 400))
        return error
