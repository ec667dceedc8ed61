"""The DHCP options that every VPC of a region has."""

from typing import Final

from lb.api.call import Call, Operations, Params, Result
from lb.api.ec2.describe import describe
from lb.api.ec2.interfaces import private_domain
from lb.api.ec2.lookup import DHCP_OPTIONS, pick
from lb.resources.records import Kind

_FILTERS: Final = {
    "dhcp-options-id": "DhcpOptionsId",
    "key": "DhcpConfigurations.Key",
    "value": "DhcpConfigurations.Values.Value",
    "owner-id": "OwnerId",
}


def describe_dhcp_options(call: Call, params: Params) -> Result:
    """The options that the VPCs of the region name."""
    settings = {"domain-name": private_domain(call.region), "domain-name-servers": "AmazonProvidedDNS"}
    named = dict.fromkeys(vpc.shape["DhcpOptionsId"] for vpc in call.tx.all(Kind.VPC, call.region))
    items = [
        {
            "DhcpOptionsId": options_id,
            "OwnerId": call.account,
            "DhcpConfigurations": [{"Key": key, "Values": [{"Value": value}]} for key, value in settings.items()],
            "Tags": [],
        }
        for options_id in named
    ]
    picked = pick(DHCP_OPTIONS, items, "DhcpOptionsId", params.get("DhcpOptionsIds"))
    return describe("DhcpOptions", picked, params, _FILTERS, "DhcpOptionsId")


OPERATIONS: Final[Operations] = {"DescribeDhcpOptions": describe_dhcp_options}
