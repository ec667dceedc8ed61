"""Revocation lists of trust stores, kept as records; `more["location"]` is where the list was said to be (fact sheet 2.4).

What a list holds is not looked at, so the number of revoked certificates is not answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.limits import refuse_above
from lb.api.elbv2.lookup import find
from lb.api.elbv2.paging import paged
from lb.api.elbv2.trust_stores import s3_location
from lb.resources.records import Kind, Record

# Fact sheet 1.7.
_FILES_PER_STORE: Final = 30
# Of the trust store's record: ids are never given again.
_LAST_ID: Final = "last_revocation_id"


def add_trust_store_revocations(call: Call, params: Params) -> Result:
    """Adds revocation lists, which are numbered in the order they came."""
    store = find(call, Kind.TRUST_STORE, params["TrustStoreArn"])
    contents = params.get("RevocationContents", ())
    if not contents:
        raise ApiError("ValidationError", "A revocation content must be specified")
    there = len(call.tx.children(Kind.TRUST_STORE_REVOCATION, store.id))
    what = "revocation files for this trust store"
    refuse_above(_FILES_PER_STORE, there + len(contents), "TooManyTrustStoreRevocationEntries", what)
    last: int = store.more.get(_LAST_ID, 0)
    added = [_revocation(call, store, number, content) for number, content in enumerate(contents, last + 1)]
    for revocation in added:
        call.tx.put(revocation)
    call.tx.put(replace(store, more={**store.more, _LAST_ID: last + len(added)}))
    return {"TrustStoreRevocations": [revocation.shape for revocation in added]}


def describe_trust_store_revocations(call: Call, params: Params) -> Result:
    """All revocation lists of a trust store, or those with the given ids."""
    store = find(call, Kind.TRUST_STORE, params["TrustStoreArn"])
    found = _numbered(call, store, params.get("RevocationIds", ()))
    return paged("TrustStoreRevocations", [revocation.shape for revocation in found], params)


def remove_trust_store_revocations(call: Call, params: Params) -> Result:
    """Removes revocation lists, all or none."""
    store = find(call, Kind.TRUST_STORE, params["TrustStoreArn"])
    if not params["RevocationIds"]:
        raise ApiError("ValidationError", "A revocation ID must be specified")
    for revocation in _numbered(call, store, params["RevocationIds"]):
        call.tx.delete(Kind.TRUST_STORE_REVOCATION, revocation.id)
    return {}


def get_trust_store_revocation_content(call: Call, params: Params) -> Result:
    """Where a revocation list was said to be."""
    store = find(call, Kind.TRUST_STORE, params["TrustStoreArn"])
    (revocation,) = _numbered(call, store, [params["RevocationId"]])
    return {"Location": revocation.more["location"]}


def _revocation(call: Call, store: Record, number: int, content: Mapping[str, Any]) -> Record:
    bucket, key = content.get("S3Bucket"), content.get("S3Key")
    if not bucket or not key:
        raise ApiError("ValidationError", "The S3 bucket and the S3 key of a revocation content must be specified")
    return Record(
        Kind.TRUST_STORE_REVOCATION,
        f"{store.id}/{number}",
        call.region,
        call.account,
        {
            "TrustStoreArn": store.id,
            "RevocationId": number,
            "RevocationType": content.get("RevocationType", "CRL"),
        },
        parent=store.id,
        more={"location": s3_location(bucket, key, content.get("S3ObjectVersion"))},
    )


def _numbered(call: Call, store: Record, numbers: Sequence[int]) -> list[Record]:
    """The revocation lists with these ids; all where none is given."""
    by_number = {each.shape["RevocationId"]: each for each in call.tx.children(Kind.TRUST_STORE_REVOCATION, store.id)}
    if not numbers:
        return list(by_number.values())
    if unknown := [number for number in numbers if number not in by_number]:
        raise ApiError("RevocationIdNotFound", f"Revocation ID '{unknown[0]}' not found")
    return [by_number[number] for number in dict.fromkeys(numbers)]


OPERATIONS: Final[Operations] = {
    "AddTrustStoreRevocations": add_trust_store_revocations,
    "DescribeTrustStoreRevocations": describe_trust_store_revocations,
    "RemoveTrustStoreRevocations": remove_trust_store_revocations,
    "GetTrustStoreRevocationContent": get_trust_store_revocation_content,
}
