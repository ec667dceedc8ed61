"""Attributes of target groups (fact sheet 4.3)."""

from dataclasses import replace
from typing import Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.attribute_values import listed, merged
from lb.api.elbv2.lookup import find
from lb.model.attributes import Attribute, Scope, check_together
from lb.model.kept_group_attributes import is_known, target_group_rows
from lb.resources.records import Kind, Record


def describe_target_group_attributes(call: Call, params: Params) -> Result:
    """Every attribute that a target group of this type and protocol has."""
    group = find(call, Kind.TARGET_GROUP, params["TargetGroupArn"])
    return {"Attributes": listed(_rows(group), group.attributes)}


def modify_target_group_attributes(call: Call, params: Params) -> Result:
    """Changes attributes, all or none; answers those given."""
    group = find(call, Kind.TARGET_GROUP, params["TargetGroupArn"])
    rows, given = _rows(group), params["Attributes"]
    here = {row.key for row in rows}
    if any(attribute.get("Key", "") not in here and is_known(attribute.get("Key", "")) for attribute in given):
        raise ApiError("InvalidConfigurationRequest", "The provided target group attribute is not supported")
    attributes = merged(rows, group.attributes, given, _unknown)
    if group.shape.get("Protocol") in ("HTTP", "HTTPS"):
        try:
            check_together(Scope.TARGET_GROUP, attributes)
        except ValueError as error:
            raise ApiError("ValidationError", str(error)) from error
    call.tx.put(replace(group, attributes=attributes))
    return {"Attributes": given}


def _unknown(key: str) -> str:
    return f"Target group attribute key '{key}' is not recognized"


def _rows(group: Record) -> tuple[Attribute, ...]:
    shape = group.shape
    return target_group_rows(shape["TargetType"], shape.get("Protocol"), shape.get("ProtocolVersion", ""))


OPERATIONS: Final[Operations] = {
    "DescribeTargetGroupAttributes": describe_target_group_attributes,
    "ModifyTargetGroupAttributes": modify_target_group_attributes,
}
