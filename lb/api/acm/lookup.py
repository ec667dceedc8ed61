"""ACM certificates by ARN, and their records.

`shape` is CertificateDetail without what follows from use and time; `more` has the PEM texts: `certificate`, `private_key`,
`chain`.
"""

import re
from typing import Final

from lb.api.call import ApiError, Call
from lb.resources.records import Kind, Record

_CERTIFICATE: Final = re.compile(r"arn:[\w-]+:acm:[\w-]*:\d+:certificate/[\w+=,.@-]+", re.ASCII)


def new_arn(call: Call) -> str:
    """The ARN of a new certificate."""
    digits = call.new_id(32)
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return f"arn:aws:acm:{call.region}:{call.account}:certificate/{'-'.join(parts)}"


def find(call: Call, arn: str) -> Record:
    """The certificate. Raises ApiError for an ARN of something else, and for one that names nothing in this region."""
    if _CERTIFICATE.fullmatch(arn) is None:
        raise ApiError("InvalidArnException", f"{arn} is not the ARN of a certificate.")
    record = call.tx.get(Kind.CERTIFICATE, arn)
    if record is None or record.region != call.region:
        raise ApiError("ResourceNotFoundException", f"Could not find certificate {arn}.")
    return record
