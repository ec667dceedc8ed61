"""What `lb.model.rule_checks` refuses, as an error answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from lb.api.call import ApiError
from lb.model.rule_checks import InvalidRule


@contextmanager
def answered() -> Iterator[None]:
    """Turns InvalidRule of its body into ApiError with the same code and message."""
    try:
        yield
    except InvalidRule as error:
        raise ApiError(error.code, str(error)) from error
