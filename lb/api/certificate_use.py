"""Which load balancers use a certificate, as the default one of a listener or as one more of it."""

from dataclasses import replace
from typing import Any, Final

from lb.api.call import Call
from lb.resources.records import Kind, Record

_DEFAULT: Final = "Certificates"
_MORE: Final = "certificates"


def users(call: Call, certificate_arn: str) -> list[str]:
    """ARNs of the load balancers with a listener that uses the certificate, each once."""
    return list(dict.fromkeys(each.parent for each in _listeners(call, certificate_arn)))


def rename(call: Call, old_arn: str, new_arn: str) -> None:
    """Lets listeners use a certificate by its new ARN."""
    for listener in _listeners(call, old_arn):
        shape = {**listener.shape, _DEFAULT: [{"CertificateArn": _renamed(listener, old_arn, new_arn)}]}
        more = [new_arn if arn == old_arn else arn for arn in listener.more.get(_MORE, ())]
        call.tx.put(replace(listener, shape=shape, more={**listener.more, _MORE: more}))


def _renamed(listener: Record, old_arn: str, new_arn: str) -> Any:
    default = listener.shape[_DEFAULT][0]["CertificateArn"]
    return new_arn if default == old_arn else default


def _listeners(call: Call, certificate_arn: str) -> list[Record]:
    def uses(listener: Record) -> bool:
        defaults = (each["CertificateArn"] for each in listener.shape.get(_DEFAULT, ()))
        return certificate_arn in defaults or certificate_arn in listener.more.get(_MORE, ())

    return [listener for listener in call.tx.all(Kind.LISTENER) if uses(listener)]
