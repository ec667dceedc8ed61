"""Regions and their Availability Zones."""

from typing import Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.filters import keep
from lb.resources.defaults import ZONES

_REGIONS: Final = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1"),
    *("ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
)
_NOT_NEEDED: Final = "opt-in-not-required"
_ZONE_FILTERS: Final = {
    "zone-name": "ZoneName",
    "zone-id": "ZoneId",
    "region-name": "RegionName",
    "state": "State",
    "group-name": "GroupName",
    "zone-type": "ZoneType",
    "opt-in-status": "OptInStatus",
    "message": "Messages.Message",
}
_REGION_FILTERS: Final = {
    "region-name": "RegionName",
    "endpoint": "Endpoint",
    "opt-in-status": "OptInStatus",
}


def zone_id(region: str, zone: str) -> str:
    """The id of a zone by its name, as the default network has it."""
    return f"{region.replace('-', '')}-az{ZONES.index(zone.removeprefix(region)) + 1}"


def zone_names(region: str) -> list[str]:
    """The names of the zones of a region."""
    return [f"{region}{letter}" for letter in ZONES]


def describe_availability_zones(call: Call, params: Params) -> Result:
    """The zones of the region, or those with the given names and ids."""
    zones = [
        {
            "ZoneName": zone,
            "ZoneId": zone_id(call.region, zone),
            "RegionName": call.region,
            "GroupName": f"{call.region}-zg-1",
            "NetworkBorderGroup": call.region,
            "ZoneType": "availability-zone",
            "OptInStatus": _NOT_NEEDED,
            "State": "available",
            "Messages": [],
        }
        for zone in zone_names(call.region)
    ]
    for asked, member in ((params.get("ZoneNames"), "ZoneName"), (params.get("ZoneIds"), "ZoneId")):
        if asked:
            if unknown := [name for name in asked if all(zone[member] != name for zone in zones)]:
                raise ApiError("InvalidParameterValue", f"Invalid availability zones: [{', '.join(unknown)}]")
            zones = [zone for zone in zones if zone[member] in asked]
    return {"AvailabilityZones": keep(zones, params.get("Filters", ()), _ZONE_FILTERS)}


def describe_regions(call: Call, params: Params) -> Result:
    """The regions that need no opt-in, and that of the call."""
    regions = [
        {"RegionName": name, "Endpoint": f"ec2.{name}.amazonaws.com", "OptInStatus": _NOT_NEEDED}
        for name in dict.fromkeys((*_REGIONS, call.region))
    ]
    if names := params.get("RegionNames"):
        if unknown := [name for name in names if all(region["RegionName"] != name for region in regions)]:
            raise ApiError("InvalidParameterValue", f"Invalid region names: [{', '.join(unknown)}]")
        regions = [region for region in regions if region["RegionName"] in names]
    return {"Regions": keep(regions, params.get("Filters", ()), _REGION_FILTERS)}


OPERATIONS: Final[Operations] = {
    "DescribeAvailabilityZones": describe_availability_zones,
    "DescribeRegions": describe_regions,
}
