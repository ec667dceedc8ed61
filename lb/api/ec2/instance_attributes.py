"""Attributes of instances, described and changed one at a time."""

from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.instance_state import state_of
from lb.api.ec2.instances import selected_instances
from lb.api.ec2.interfaces import identifiers
from lb.api.ec2.launch_place import groups_of_vpc
from lb.api.ec2.lookup import find
from lb.api.ec2.user_data import decoded, encoded, text_of
from lb.api.ec2.volumes import block_devices
from lb.resources.records import Kind, Record

# Attribute to its member: of what no other operation shows, and of what DescribeInstances shows too.
_KEPT: Final = {
    "disableApiTermination": "DisableApiTermination",
    "disableApiStop": "DisableApiStop",
    "instanceInitiatedShutdownBehavior": "InstanceInitiatedShutdownBehavior",
}
_SHOWN: Final = {
    "sourceDestCheck": "SourceDestCheck",
    "instanceType": "InstanceType",
    "ebsOptimized": "EbsOptimized",
    "enaSupport": "EnaSupport",
}
_WHILE_STOPPED: Final = ("InstanceType", "EbsOptimized", "EnaSupport", "UserData")
_TRUTHS: Final = {"true": True, "false": False}


def describe_instance_attribute(call: Call, params: Params) -> Result:
    """One attribute of an instance."""
    instance = find(call, Kind.INSTANCE, params["InstanceId"])
    return {"InstanceId": instance.id, **_described(instance, params["Attribute"])}


def modify_instance_attribute(call: Call, params: Params) -> Result:
    """Changes one attribute of an instance; some only while it is stopped."""
    instance = find(call, Kind.INSTANCE, params["InstanceId"])
    changes = _changes(params)
    if len(changes) != 1:
        message = "Fields for multiple attribute types specified" if changes else "No attributes specified."
        raise ApiError("InvalidParameterCombination", message)
    ((member, value),) = changes.items()
    if member in _WHILE_STOPPED and state_of(call, instance) != "stopped":
        raise ApiError("IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'stopped' state.")
    call.tx.put(_changed(call, instance, member, value))
    return {}


def describe_instance_credit_specifications(call: Call, params: Params) -> Result:
    """CPU credits, which are `standard` for all instances."""
    items = [{"InstanceId": each.id, "CpuCredits": "standard"} for each in selected_instances(call, params)]
    return {"InstanceCreditSpecifications": items}


def describe_iam_instance_profile_associations(call: Call, params: Params) -> Result:
    """None: instance profiles are texts here."""
    return {"IamInstanceProfileAssociations": []}


def _described(instance: Record, attribute: str) -> dict[str, Any]:
    if attribute in _KEPT:
        return {_KEPT[attribute]: {"Value": instance.more["attributes"][_KEPT[attribute]]}}
    if attribute in _SHOWN:
        return {_SHOWN[attribute]: {"Value": instance.shape[_SHOWN[attribute]]}}
    match attribute:
        case "userData":
            text = instance.more["user_data"]
            return {"UserData": {"Value": encoded(text)} if text else {}}
        case "groupSet":
            return {"Groups": instance.shape["SecurityGroups"]}
        case "blockDeviceMapping":
            return {"BlockDeviceMappings": block_devices(instance)}
        case "rootDeviceName":
            return {"RootDeviceName": {"Value": instance.shape["RootDeviceName"]}}
        case "enclaveOptions":
            return {"EnclaveOptions": {"Enabled": False}}
        case "productCodes":
            return {"ProductCodes": []}
        case "kernel":
            return {"KernelId": {}}
        case "ramdisk":
            return {"RamdiskId": {}}
        case "sriovNetSupport":
            return {"SriovNetSupport": {}}
    raise ApiError(
        "InvalidParameterValue", f"Value ({attribute}) for parameter attribute is invalid. Unknown attribute."
    )


def _changes(params: Params) -> dict[str, Any]:
    """Members and their new values, from either way in which a client can name an attribute."""
    found: dict[str, Any] = {
        member: params[member]["Value"]
        for member in (*_KEPT.values(), *_SHOWN.values(), "UserData")
        if "Value" in params.get(member, ())
    }
    if "Groups" in params:
        found["Groups"] = params["Groups"]
    if (attribute := params.get("Attribute")) is not None:
        text = params.get("Value", "")
        if attribute == "userData":
            found["UserData"] = text_of(text).encode()
        elif (member := {**_KEPT, **_SHOWN}.get(attribute)) is not None:
            found[member] = _TRUTHS.get(text.lower(), text)
        else:
            message = f"Value ({attribute}) for parameter attribute is invalid. It cannot be modified here."
            raise ApiError("InvalidParameterValue", message)
    return found


def _changed(call: Call, instance: Record, member: str, value: Any) -> Record:
    shape, more = instance.shape, instance.more
    if member == "UserData":
        return replace(instance, more={**more, "user_data": decoded(value)})
    if member == "Groups":
        if not value:
            raise ApiError("InvalidParameterValue", "An interface must have at least one security group")
        groups = groups_of_vpc(call, value, shape["VpcId"], shape["SubnetId"])
        return replace(instance, shape={**shape, "SecurityGroups": identifiers(groups)})
    kept = more["attributes"]
    before = kept.get(member, shape.get(member))
    if type(value) is not type(before):
        raise ApiError("InvalidParameterValue", f"Value ({value}) for parameter value is invalid.")
    if member in kept:
        return replace(instance, more={**more, "attributes": {**kept, member: value}})
    return replace(instance, shape={**shape, member: value})


OPERATIONS: Final[Operations] = {
    "DescribeInstanceAttribute": describe_instance_attribute,
    "ModifyInstanceAttribute": modify_instance_attribute,
    "DescribeInstanceCreditSpecifications": describe_instance_credit_specifications,
    "DescribeIamInstanceProfileAssociations": describe_iam_instance_profile_associations,
}
