"""The ACM API: certificates for HTTPS listeners, imported or issued at once by a CA of this installation's own."""

from typing import Final

from lb.api.acm import certificates, exports, imports, listing, requests, tags
from lb.api.call import Operations

OPERATIONS: Final[Operations] = {
    **imports.OPERATIONS,
    **requests.OPERATIONS,
    **certificates.OPERATIONS,
    **listing.OPERATIONS,
    **exports.OPERATIONS,
    **tags.OPERATIONS,
}
"""Operation to its handler."""
