"""RunInstances: records of new instances. What makes them run is `lb.compute`."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.images import find_image, image_state
from lb.api.ec2.instances import reservation
from lb.api.ec2.interfaces import identifiers, private_name
from lb.api.ec2.launch_place import LaunchPlace, place
from lb.api.ec2.lookup import new_id
from lb.api.ec2.public_images import image_by_parameter
from lb.api.ec2.quotas import MOST_INSTANCES, MOST_PER_LAUNCH
from lb.api.ec2.tags import given_tags
from lb.api.ec2.terminated import forget_terminated
from lb.api.ec2.user_data import text_of
from lb.api.ec2.volumes import volume_settings
from lb.model.names import derived_id
from lb.resources.records import Kind, Record

_TAGGED: Final = ("volume", "network-interface", "spot-instances-request", "elastic-gpu")
_DEFAULT_TYPE: Final = "t3.micro"
_METADATA: Final = {
    "State": "applied",
    "HttpTokens": "required",
    "HttpPutResponseHopLimit": 2,
    "HttpEndpoint": "enabled",
    "HttpProtocolIpv6": "disabled",
    "InstanceMetadataTags": "disabled",
}


def run_instances(call: Call, params: Params) -> Result:
    """Launches instances, or answers those that an earlier call with the same `ClientToken` launched."""
    forget_terminated(call)
    arguments = _arguments(params)
    if (launched := _launched(call, params.get("ClientToken"), arguments)) is not None:
        return launched
    if "LaunchTemplate" in params:
        raise ApiError("UnsupportedOperation", "Launch templates are not served by this endpoint")
    if "ImageId" not in params:
        raise ApiError("MissingParameter", "The request must contain the parameter ImageId")
    image = find_image(call, image_by_parameter(call.region, params["ImageId"]))
    if image_state(call, image) != "available":
        raise ApiError("InvalidAMIID.Unavailable", f"The image ID '{image.id}' is not available")
    user_data = text_of(params["UserData"]) if "UserData" in params else ""
    tags = given_tags(params, "instance", also=_TAGGED)
    volume = volume_settings(params)
    count = _count(call, params)
    where = place(call, params, count)
    first = 1 + max((instance.more["number"] for instance in call.tx.all(Kind.INSTANCE)), default=0)
    common = {
        "desired": "running",
        "user_data": user_data,
        "image": image.id,
        "public": where.is_public,
        "interface_description": where.description,
        "reservation": f"r-0{call.new_id(16)}",
        "arguments": arguments,
        "volume": volume,
        "attributes": {
            "DisableApiTermination": params.get("DisableApiTermination", False),
            "DisableApiStop": params.get("DisableApiStop", False),
            "InstanceInitiatedShutdownBehavior": params.get("InstanceInitiatedShutdownBehavior", "stop"),
        },
    }
    made = []
    for index in range(count):
        shape = _shape(call, params, image, where, index)
        own = {"number": first + index, "address": where.loopback[index]}
        record = Record(
            *(Kind.INSTANCE, shape["InstanceId"], call.region, call.account, shape),
            tags=tags,
            more={**common, **own},
        )
        call.tx.put(record)
        made.append(record)
    return reservation(call, made, "pending")


def _arguments(params: Params) -> str:
    """What tells calls with the same `ClientToken` apart."""
    text = json.dumps(dict(params), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _launched(call: Call, token: str | None, arguments: str) -> Result | None:
    if not token:
        return None
    instances = [each for each in call.tx.all(Kind.INSTANCE, call.region) if each.shape["ClientToken"] == token]
    if not instances:
        return None
    if instances[0].more["arguments"] != arguments:
        message = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
        raise ApiError("IdempotentParameterMismatch", message)
    return reservation(call, instances)


def _count(call: Call, params: Params) -> int:
    """How many instances to launch: `MaxCount`, or as many as there is room for, but no less than `MinCount`."""
    least, most = params["MinCount"], params["MaxCount"]
    for name, value in (("minCount", least), ("maxCount", most)):
        if value < 1:
            raise ApiError("InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid. Minimum is 1.")
    if least > most:
        message = f"Value ({least}) for parameter minCount is invalid. It is greater than maxCount ({most})."
        raise ApiError("InvalidParameterValue", message)
    present = [each for each in call.tx.all(Kind.INSTANCE) if each.more["desired"] != "terminated"]
    room = min(most, MOST_PER_LAUNCH, MOST_INSTANCES - len(present))
    if least > room:
        message = (
            f"You have requested more instances ({len(present) + least}) than your current instance limit of "
            f"{MOST_INSTANCES}, {MOST_PER_LAUNCH} in one call, allows for the specified instance type."
        )
        raise ApiError("InstanceLimitExceeded", message)
    return int(room)


def _shape(call: Call, params: Params, image: Record, where: LaunchPlace, index: int) -> dict[str, Any]:
    instance_id = new_id(call, Kind.INSTANCE)
    subnet = where.subnet.shape
    options: Mapping[str, Any] = params.get("MetadataOptions", {})
    key: Mapping[str, str] = {"KeyName": params["KeyName"]} if "KeyName" in params else {}
    profile = _profile(call, params.get("IamInstanceProfile"))
    groups: Sequence[Mapping[str, str]] = identifiers(where.groups)
    return {
        "InstanceId": instance_id,
        "ImageId": image.id,
        "InstanceType": params.get("InstanceType", _DEFAULT_TYPE),
        **key,
        **profile,
        "LaunchTime": call.created_time,
        "AmiLaunchIndex": index,
        "Placement": {
            "AvailabilityZone": subnet["AvailabilityZone"],
            "GroupName": "",
            "Tenancy": params.get("Placement", {}).get("Tenancy") or "default",
        },
        "Monitoring": {"State": "enabled" if params.get("Monitoring", {}).get("Enabled") else "disabled"},
        "SubnetId": where.subnet.id,
        "VpcId": subnet["VpcId"],
        "PrivateIpAddress": where.private[index],
        "PrivateDnsName": private_name(call.region, where.private[index]),
        "SecurityGroups": groups,
        "SourceDestCheck": True,
        "Architecture": image.shape["Architecture"],
        "VirtualizationType": image.shape["VirtualizationType"],
        "Hypervisor": "xen",
        "RootDeviceName": image.shape["RootDeviceName"],
        "RootDeviceType": image.shape["RootDeviceType"],
        "ClientToken": params.get("ClientToken", ""),
        "EbsOptimized": params.get("EbsOptimized", False),
        "EnaSupport": True,
        "ProductCodes": [],
        "PlatformDetails": image.shape["PlatformDetails"],
        "UsageOperation": image.shape["UsageOperation"],
        "UsageOperationUpdateTime": call.created_time,
        "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2},
        "CapacityReservationSpecification": {"CapacityReservationPreference": "open"},
        "HibernationOptions": {"Configured": False},
        "MetadataOptions": {**_METADATA, **options},
        "EnclaveOptions": {"Enabled": False},
        "MaintenanceOptions": {"AutoRecovery": "default"},
        "PrivateDnsNameOptions": {
            "HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": False,
            "EnableResourceNameDnsAAAARecord": False,
        },
    }


def _profile(call: Call, given: Mapping[str, str] | None) -> dict[str, Any]:
    """The instance profile as given; nothing here looks at it."""
    if not given:
        return {}
    arn = given.get("Arn") or f"arn:aws:iam::{call.account}:instance-profile/{given.get('Name', '')}"
    return {"IamInstanceProfile": {"Arn": arn, "Id": f"AIPA{derived_id('profile', arn).upper()}"}}


OPERATIONS: Final[Operations] = {"RunInstances": run_instances}
