"""EC2 as far as flows around a load balancer call it (version 2016-11-15)."""

from typing import Final

from lb.api.call import Operations
from lb.api.ec2 import (
    account,
    addresses,
    dhcp_options,
    images,
    instance_attributes,
    instance_changes,
    instance_types,
    instances,
    interfaces,
    internet_gateways,
    key_pairs,
    launching,
    network_acls,
    route_tables,
    routes,
    security_group_rules,
    security_groups,
    subnets,
    tags,
    volumes,
    vpc_attributes,
    vpcs,
    zones,
)
from lb.api.ec2.dry_run import with_dry_run

OPERATIONS: Final[Operations] = with_dry_run(
    {
        **zones.OPERATIONS,
        **account.OPERATIONS,
        **vpcs.OPERATIONS,
        **vpc_attributes.OPERATIONS,
        **dhcp_options.OPERATIONS,
        **network_acls.OPERATIONS,
        **subnets.OPERATIONS,
        **internet_gateways.OPERATIONS,
        **route_tables.OPERATIONS,
        **routes.OPERATIONS,
        **security_groups.OPERATIONS,
        **security_group_rules.OPERATIONS,
        **instance_types.OPERATIONS,
        **images.OPERATIONS,
        **key_pairs.OPERATIONS,
        **launching.OPERATIONS,
        **instances.OPERATIONS,
        **instance_changes.OPERATIONS,
        **instance_attributes.OPERATIONS,
        **volumes.OPERATIONS,
        **interfaces.OPERATIONS,
        **addresses.OPERATIONS,
        **tags.OPERATIONS,
    }
)
"""Operation to its handler."""
