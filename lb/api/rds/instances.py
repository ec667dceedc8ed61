"""DB instances. All are the one MySQL server that the balancer is configured with: its address and port are their endpoint.

So creating one starts no server, deleting one loses no data and takes no snapshot, and the user, the password, the port and
the version asked for are not those of the server. The password is not kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.rds.engines import family, read_version
from lb.api.rds.filters import keep, paged
from lb.api.rds.identifiers import instance_identifier
from lb.api.rds.placing import security_groups, zone
from lb.api.rds.subnet_groups import DEFAULT, group_shape
from lb.api.rds.tag_errors import TAG_ERRORS
from lb.api.tag_list import read_tags, tag_list
from lb.resources.records import Kind, Record

_VALUE: Final = "InvalidParameterValue"
_COMBINATION: Final = "InvalidParameterCombination"
_LEAST_STORAGE_GIB: Final = 20
_SHORTEST_PASSWORD: Final = 8
_DEFAULTS: Final[Mapping[str, Any]] = {
    "BackupRetentionPeriod": 1,
    "PreferredBackupWindow": "03:00-03:30",
    "PreferredMaintenanceWindow": "mon:04:00-mon:04:30",
    "MultiAZ": False,
    "AutoMinorVersionUpgrade": True,
    "LicenseModel": "general-public-license",
    "PubliclyAccessible": True,
    "StorageType": "gp2",
    "StorageEncrypted": False,
    "CACertificateIdentifier": "rds-ca-rsa2048-g1",
    "CopyTagsToSnapshot": False,
    "MonitoringInterval": 0,
    "DeletionProtection": False,
    "NetworkType": "IPV4",
    "EngineLifecycleSupport": "open-source-rds-extended-support",
}
_ASKED: Final = (
    *_DEFAULTS,
    *("AllocatedStorage", "DBInstanceClass", "Iops", "StorageThroughput", "MaxAllocatedStorage", "PromotionTier"),
)
"""Members that an instance has as they are asked for."""
_FILTERS: Final = {
    "db-instance-id": lambda shape: str(shape["DBInstanceIdentifier"]),
    "dbi-resource-id": lambda shape: str(shape["DbiResourceId"]),
    "engine": lambda shape: str(shape["Engine"]),
    "domain": lambda _: "",
    "db-cluster-id": lambda _: "",
}


def create_db_instance(call: Call, params: Params) -> Result:
    """An instance whose endpoint is the configured server, available at once."""
    if call.live.database_endpoint() is None:
        message = (
            "No database is configured, so no DB instance can have an endpoint. Start the load balancer with LB_DB_HOST "
            "(and LB_DB_PORT) set to a MySQL server, then create the DB instance again."
        )
        raise ApiError("InsufficientDBInstanceCapacity", message)
    name = instance_identifier(params["DBInstanceIdentifier"])
    if call.tx.get(Kind.DB_INSTANCE, _arn(call, name)) is not None:
        raise ApiError("DBInstanceAlreadyExists", "DB instance already exists")
    version = read_version(params["Engine"], params.get("EngineVersion"))
    _check_required(params)
    record = Record(
        Kind.DB_INSTANCE,
        _arn(call, name),
        call.region,
        call.account,
        _shape(call, params, name, version),
        tags=read_tags(params.get("Tags", ()), TAG_ERRORS),
    )
    call.tx.put(record)
    return {"DBInstance": {**_shown(call, record), "DBInstanceStatus": "creating"}}


def describe_db_instances(call: Call, params: Params) -> Result:
    """All instances, or one by its identifier or ARN."""
    if name := params.get("DBInstanceIdentifier"):
        found: Sequence[Record] = [find_instance(call, name)]
    else:
        found = call.tx.all(Kind.DB_INSTANCE, call.region)
    shapes = keep([_shown(call, record) for record in found], params.get("Filters", ()), _FILTERS)
    return paged("DBInstances", shapes, params, "DBInstanceArn")


def modify_db_instance(call: Call, params: Params) -> Result:
    """Changes what is asked for at once, whatever `ApplyImmediately` says."""
    record = find_instance(call, params["DBInstanceIdentifier"])
    _check_password(params)
    shape = {**record.shape, **{member: params[member] for member in _ASKED if member in params}}
    _check_storage(shape)
    if "EngineVersion" in params:
        shape["EngineVersion"] = read_version(shape["Engine"], params["EngineVersion"])
    if "DBSubnetGroupName" in params:
        shape["DBSubnetGroup"] = group_shape(call, params["DBSubnetGroupName"].lower())
    if "VpcSecurityGroupIds" in params:
        shape["VpcSecurityGroups"] = security_groups(
            call, params["VpcSecurityGroupIds"], shape["DBSubnetGroup"]["VpcId"]
        )
    changed = _renamed(call, replace(record, shape=shape), params.get("NewDBInstanceIdentifier"))
    if changed.id != record.id:
        call.tx.delete(Kind.DB_INSTANCE, record.id)
    call.tx.put(changed)
    return {"DBInstance": _shown(call, changed)}


def delete_db_instance(call: Call, params: Params) -> Result:
    """Deletes the record; the server and its data stay."""
    record = find_instance(call, params["DBInstanceIdentifier"])
    if record.shape["DeletionProtection"]:
        message = "Cannot delete protected DB Instance, please disable deletion protection and try again."
        raise ApiError(_COMBINATION, message)
    is_skipped, snapshot = params.get("SkipFinalSnapshot", False), params.get("FinalDBSnapshotIdentifier")
    if not is_skipped and not snapshot:
        raise ApiError(_COMBINATION, "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if is_skipped and snapshot:
        raise ApiError(
            _COMBINATION, "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is specified."
        )
    call.tx.delete(Kind.DB_INSTANCE, record.id)
    return {"DBInstance": {**_shown(call, record), "DBInstanceStatus": "deleting"}}


def find_instance(call: Call, name: str) -> Record:
    """The instance by its identifier or ARN. Raises ApiError."""
    arn = name if name.startswith("arn:") else _arn(call, name.lower())
    record = call.tx.get(Kind.DB_INSTANCE, arn)
    if record is None or record.region != call.region:
        raise ApiError("DBInstanceNotFound", f"DBInstance {name} not found.", 404)
    return record


def _arn(call: Call, name: str) -> str:
    return f"arn:aws:rds:{call.region}:{call.account}:db:{name}"


def _check_required(params: Params) -> None:
    for member in ("AllocatedStorage", "MasterUsername"):
        if not params.get(member):
            raise ApiError(_VALUE, f"The parameter {member} must be provided and must not be blank.")
    if not params.get("MasterUserPassword") and not params.get("ManageMasterUserPassword"):
        raise ApiError(_VALUE, "The parameter MasterUserPassword must be provided and must not be blank.")
    _check_password(params)


def _check_password(params: Params) -> None:
    if len(params.get("MasterUserPassword", "x" * _SHORTEST_PASSWORD)) < _SHORTEST_PASSWORD:
        problem = f"it is shorter than {_SHORTEST_PASSWORD} characters."
        raise ApiError(_VALUE, f"The parameter MasterUserPassword is not a valid password because {problem}")


def _check_storage(shape: Mapping[str, Any]) -> None:
    size = shape["AllocatedStorage"]
    if size < _LEAST_STORAGE_GIB:
        of = f"engine name {shape['Engine']} and storage type {shape['StorageType']}"
        raise ApiError(_VALUE, f"Invalid storage size for {of}: {size}")


def _shape(call: Call, params: Params, name: str, version: str) -> dict[str, Any]:
    group = group_shape(call, params.get("DBSubnetGroupName", DEFAULT).lower())
    shape = {
        **_DEFAULTS,
        **{member: params[member] for member in _ASKED if member in params},
        "DBInstanceIdentifier": name,
        "DBInstanceArn": _arn(call, name),
        "DbiResourceId": f"db-{call.new_id(26).upper()}",
        "Engine": params["Engine"],
        "EngineVersion": version,
        "MasterUsername": params["MasterUsername"],
        "InstanceCreateTime": call.created_time,
        "AvailabilityZone": zone(params.get("AvailabilityZone"), group),
        "DBSubnetGroup": group,
        "VpcSecurityGroups": security_groups(call, params.get("VpcSecurityGroupIds", ()), group["VpcId"]),
        "DBSecurityGroups": [],
        "DBParameterGroups": [
            {
                "DBParameterGroupName": f"default.{family(params['Engine'], version)}",
                "ParameterApplyStatus": "in-sync",
            }
        ],
        "OptionGroupMemberships": [],
        "PendingModifiedValues": {},
        "ReadReplicaDBInstanceIdentifiers": [],
    }
    if database := params.get("DBName"):
        shape["DBName"] = database
    _check_storage(shape)
    return shape


def _renamed(call: Call, record: Record, name: str | None) -> Record:
    if name is None or (new := instance_identifier(name)) == record.shape["DBInstanceIdentifier"]:
        return record
    arn = _arn(call, new)
    if call.tx.get(Kind.DB_INSTANCE, arn) is not None:
        raise ApiError("DBInstanceAlreadyExists", "DB instance already exists")
    return replace(record, id=arn, shape={**record.shape, "DBInstanceIdentifier": new, "DBInstanceArn": arn})


def _shown(call: Call, record: Record) -> dict[str, Any]:
    """The instance with its endpoint; one whose server is configured no more has failed."""
    shape = {**record.shape, "TagList": tag_list(record.tags)}
    endpoint = call.live.database_endpoint()
    if endpoint is None:
        return {**shape, "DBInstanceStatus": "failed"}
    address, port = endpoint
    return {**shape, "DBInstanceStatus": "available", "Endpoint": {"Address": address, "Port": port}}


OPERATIONS: Final[Operations] = {
    "CreateDBInstance": create_db_instance,
    "DescribeDBInstances": describe_db_instances,
    "ModifyDBInstance": modify_db_instance,
    "DeleteDBInstance": delete_db_instance,
}
