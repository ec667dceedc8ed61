"""Trust stores: which certificate authorities an HTTPS listener may trust clients by (fact sheet 2.4).

They are kept as records. There is no S3 here, so what the bundle holds is not looked at, and neither the number of its
certificates nor that of revoked ones is answered. `more["bundle"]` says where the bundle was said to be.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.limits import refuse_above
from lb.api.elbv2.lookup import find
from lb.api.elbv2.paging import paged
from lb.api.elbv2.tags import read_tags
from lb.model.names import trust_store_arn
from lb.resources.records import Kind, Record

# Fact sheet 1.7.
_PER_ACCOUNT: Final = 20
_BUNDLE: Final = "bundle"


def create_trust_store(call: Call, params: Params) -> Result:
    """A trust store, active at once."""
    name, tags = params["Name"], read_tags(params.get("Tags", ()))
    stores = call.tx.all(Kind.TRUST_STORE, call.region)
    if any(store.shape["Name"] == name for store in stores):
        raise ApiError("DuplicateTrustStoreName", f"A trust store with the same name '{name}' exists")
    what = "trust stores for your Amazon Web Services account"
    refuse_above(_PER_ACCOUNT, len(stores) + 1, "TooManyTrustStores", what)
    arn = trust_store_arn(call.region, call.account, name, call.new_id(16))
    shape = {"Name": name, "TrustStoreArn": arn, "Status": "ACTIVE"}
    more = {_BUNDLE: _bundle(params)}
    call.tx.put(Record(Kind.TRUST_STORE, arn, call.region, call.account, shape, tags=tags, more=more))
    return {"TrustStores": [shape]}


def describe_trust_stores(call: Call, params: Params) -> Result:
    """All trust stores, or those with the given ARNs or names."""
    arns, by_name = params.get("TrustStoreArns", ()), params.get("Names", ())
    if arns and by_name:
        message = "Trust store names and trust store ARNs cannot be specified at the same time"
        raise ApiError("ValidationError", message)
    stores = call.tx.all(Kind.TRUST_STORE, call.region)
    if arns:
        stores = [find(call, Kind.TRUST_STORE, arn) for arn in dict.fromkeys(arns)]
    elif by_name:
        stores = _named(stores, by_name)
    return paged("TrustStores", [store.shape for store in stores], params)


def modify_trust_store(call: Call, params: Params) -> Result:
    """Takes the bundle from elsewhere."""
    store = find(call, Kind.TRUST_STORE, params["TrustStoreArn"])
    call.tx.put(replace(store, more={**store.more, _BUNDLE: _bundle(params)}))
    return {"TrustStores": [store.shape]}


def delete_trust_store(call: Call, params: Params) -> Result:
    """Deletes a trust store that no listener uses, with its revocations."""
    store = find(call, Kind.TRUST_STORE, params["TrustStoreArn"])
    if _users(call, store):
        raise ApiError("TrustStoreInUse", f"Trust store '{store.id}' is currently in use by a listener")
    for revocation in call.tx.children(Kind.TRUST_STORE_REVOCATION, store.id):
        call.tx.delete(Kind.TRUST_STORE_REVOCATION, revocation.id)
    call.tx.delete(Kind.TRUST_STORE, store.id)
    return {}


def get_trust_store_ca_certificates_bundle(call: Call, params: Params) -> Result:
    """Where the bundle was said to be."""
    return {"Location": find(call, Kind.TRUST_STORE, params["TrustStoreArn"]).more[_BUNDLE]}


def describe_trust_store_associations(call: Call, params: Params) -> Result:
    """The load balancers that have a listener which uses the trust store."""
    store = find(call, Kind.TRUST_STORE, params["TrustStoreArn"])
    return paged("TrustStoreAssociations", [{"ResourceArn": arn} for arn in _users(call, store)], params)


def delete_shared_trust_store_association(call: Call, params: Params) -> Result:
    """Always an error: trust stores of this account are not shared with another."""
    store, resource = find(call, Kind.TRUST_STORE, params["TrustStoreArn"]), params["ResourceArn"]
    if resource in _users(call, store):
        message = f"The association of '{resource}' with trust store '{store.id}' is within the same account"
        raise ApiError("DeleteAssociationSameAccount", message)
    raise ApiError("AssociationNotFound", f"Trust store '{store.id}' has no association with '{resource}'")


def get_resource_policy(call: Call, params: Params) -> Result:
    """No policy for a trust store that is there: it is not shared."""
    arn = params["ResourceArn"]
    if call.tx.get(Kind.TRUST_STORE, arn) is None:
        raise ApiError("ResourceNotFound", f"Resource '{arn}' not found")
    return {}


def s3_location(bucket: str, key: str, version: str | None) -> str:
    """An S3 object as URI, with its version where one is given."""
    return f"s3://{bucket}/{key}" + (f"?versionId={version}" if version else "")


def _bundle(params: Params) -> str:
    member = "CaCertificatesBundleS3"
    return s3_location(params[f"{member}Bucket"], params[f"{member}Key"], params.get(f"{member}ObjectVersion"))


def _named(stores: Sequence[Record], by_name: Sequence[str]) -> list[Record]:
    named = {store.shape["Name"]: store for store in stores}
    if unknown := [name for name in by_name if name not in named]:
        raise ApiError("TrustStoreNotFound", f"Trust stores '[{', '.join(unknown)}]' not found")
    return [named[name] for name in dict.fromkeys(by_name)]


def _users(call: Call, store: Record) -> list[str]:
    """ARNs of the load balancers with a listener that verifies clients by the trust store."""

    def store_of(listener: Record) -> Any:
        return listener.shape.get("MutualAuthentication", {}).get("TrustStoreArn")

    listeners = call.tx.all(Kind.LISTENER, call.region)
    return list(dict.fromkeys(listener.parent for listener in listeners if store_of(listener) == store.id))


OPERATIONS: Final[Operations] = {
    "CreateTrustStore": create_trust_store,
    "DescribeTrustStores": describe_trust_stores,
    "ModifyTrustStore": modify_trust_store,
    "DeleteTrustStore": delete_trust_store,
    "GetTrustStoreCaCertificatesBundle": get_trust_store_ca_certificates_bundle,
    "DescribeTrustStoreAssociations": describe_trust_store_associations,
    "DeleteSharedTrustStoreAssociation": delete_shared_trust_store_association,
    "GetResourcePolicy": get_resource_policy,
}
