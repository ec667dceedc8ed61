"""What IAM knows here: server certificates, which listeners can use, and the one user of the account."""

from typing import Final

from lb.api.call import Operations
from lb.api.iam import account, certificate_tags, server_certificates

OPERATIONS: Final[Operations] = {
    **server_certificates.OPERATIONS,
    **certificate_tags.OPERATIONS,
    **account.OPERATIONS,
}
"""Operation to its handler."""
