"""Tags of server certificates."""

from dataclasses import replace
from typing import Final

from lb.api.call import Call, Operations, Params, Result
from lb.api.iam.lookup import find
from lb.api.iam.tag_errors import TAG_ERRORS
from lb.api.tag_list import read_tags, tag_list, untagged
from lb.api.wire.paginate import IAM, paged


def tag_server_certificate(call: Call, params: Params) -> Result:
    """Adds tags, or gives those that are there another value."""
    record = find(call, params["ServerCertificateName"])
    call.tx.put(replace(record, tags=read_tags(params["Tags"], TAG_ERRORS, record.tags)))
    return {}


def untag_server_certificate(call: Call, params: Params) -> Result:
    """Removes tags by their keys; one that is not there is no error."""
    call.tx.put(untagged(find(call, params["ServerCertificateName"]), params["TagKeys"]))
    return {}


def list_server_certificate_tags(call: Call, params: Params) -> Result:
    """The tags of a server certificate."""
    tags = tag_list(find(call, params["ServerCertificateName"]).tags)
    answer = paged("Tags", tags, params, IAM, lambda tag: tag["Key"])
    return {**answer, "IsTruncated": IAM.next in answer}


OPERATIONS: Final[Operations] = {
    "TagServerCertificate": tag_server_certificate,
    "UntagServerCertificate": untag_server_certificate,
    "ListServerCertificateTags": list_server_certificate_tags,
}
