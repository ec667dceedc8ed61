"""Network ACLs: each VPC has its default one, which lets everything through."""

from typing import Any, Final

from lb.api.call import Call, Operations, Params, Result
from lb.api.ec2.describe import describe
from lb.api.ec2.lookup import NETWORK_ACL, pick
from lb.api.ec2.vpcs import members
from lb.model.names import derived_id
from lb.resources.records import Kind, Record

_FILTERS: Final = {
    "association.association-id": "Associations.NetworkAclAssociationId",
    "association.network-acl-id": "Associations.NetworkAclId",
    "association.subnet-id": "Associations.SubnetId",
    "default": "IsDefault",
    "entry.cidr": "Entries.CidrBlock",
    "entry.egress": "Entries.Egress",
    "entry.protocol": "Entries.Protocol",
    "entry.rule-action": "Entries.RuleAction",
    "entry.rule-number": "Entries.RuleNumber",
    "network-acl-id": "NetworkAclId",
    "owner-id": "OwnerId",
    "vpc-id": "VpcId",
}
# The rule that everybody sees, and the last one, which no client can change.
_RULES: Final = ((100, "allow"), (32767, "deny"))


def describe_network_acls(call: Call, params: Params) -> Result:
    """The default network ACL of every VPC, or those with the given ids."""
    items = [_item(call, vpc) for vpc in call.tx.all(Kind.VPC, call.region)]
    picked = pick(NETWORK_ACL, items, "NetworkAclId", params.get("NetworkAclIds"))
    return describe("NetworkAcls", picked, params, _FILTERS, "NetworkAclId")


def _item(call: Call, vpc: Record) -> dict[str, Any]:
    made = f"acl-0{derived_id('network acl', vpc.id)}"
    return {
        "NetworkAclId": made,
        "VpcId": vpc.id,
        "OwnerId": call.account,
        "IsDefault": True,
        "Associations": [
            {
                "NetworkAclAssociationId": f"aclassoc-0{derived_id('network acl', subnet.id)}",
                "NetworkAclId": made,
                "SubnetId": subnet.id,
            }
            for subnet in members(call, Kind.SUBNET, vpc.id)
        ],
        "Entries": [
            {
                "CidrBlock": "0.0.0.0/0",
                "Egress": is_egress,
                "Protocol": "-1",
                "RuleAction": action,
                "RuleNumber": number,
            }
            for is_egress in (True, False)
            for number, action in _RULES
        ],
        "Tags": [],
    }


OPERATIONS: Final[Operations] = {"DescribeNetworkAcls": describe_network_acls}
