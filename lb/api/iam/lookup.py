"""Server certificates by their names."""

from lb.api.call import ApiError, Call
from lb.resources.records import Kind, Record


def named(call: Call, name: str) -> Record | None:
    """The server certificate of this name, or None."""
    certificates = call.tx.all(Kind.SERVER_CERTIFICATE)
    return next((each for each in certificates if each.shape["ServerCertificateName"] == name), None)


def find(call: Call, name: str) -> Record:
    """The server certificate of this name. Raises ApiError."""
    record = named(call, name)
    if record is None:
        raise ApiError("NoSuchEntity", f"The Server Certificate with name {name} cannot be found.", 404)
    return record
