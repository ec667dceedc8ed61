"""The database engines: those that speak MySQL's protocol. Which of them the configured server is, it says itself."""

from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.rds.filters import keep, paged

_DESCRIPTIONS: Final = {"mysql": "MySQL Community Edition", "mariadb": "MariaDB Community Edition"}
# The default of an engine comes last.
_VERSIONS: Final = {"mysql": ("8.4.5", "8.0.42"), "mariadb": ("10.11.13", "11.4.7")}
_FILTERS: Final = {
    "engine": lambda version: str(version["Engine"]),
    "engine-version": lambda version: str(version["EngineVersion"]),
    "db-parameter-group-family": lambda version: str(version["DBParameterGroupFamily"]),
    "status": lambda version: str(version["Status"]),
}


def read_version(engine: str, asked: str | None) -> str:
    """The full version for one that may name its first numbers only. Raises ApiError for an unknown engine or version."""
    if engine not in _VERSIONS:
        raise ApiError("InvalidParameterValue", "Invalid DB engine")
    if asked is None:
        return _VERSIONS[engine][-1]
    found = [version for version in _VERSIONS[engine] if _begins(version, asked)]
    if not found:
        raise ApiError("InvalidParameterCombination", f"Cannot find version {asked} for {engine}")
    return found[-1]


def family(engine: str, version: str) -> str:
    """The family of parameter groups, such as `mysql8.0`."""
    return f"{engine}{_major(version)}"


def describe_db_engine_versions(call: Call, params: Params) -> Result:
    """The versions of each engine."""
    found = [
        _shape(engine, version)
        for engine, versions in _VERSIONS.items()
        for version in versions
        if params.get("Engine", engine) == engine
        and _begins(version, params.get("EngineVersion", version))
        and params.get("DBParameterGroupFamily", family(engine, version)) == family(engine, version)
        and (not params.get("DefaultOnly") or version == versions[-1])
    ]
    return paged("DBEngineVersions", keep(found, params.get("Filters", ()), _FILTERS), params, "DBEngineVersionArn")


def _begins(version: str, asked: str) -> bool:
    return f"{version}.".startswith(f"{asked}.")


def _major(version: str) -> str:
    return version.rsplit(".", 1)[0]


def _shape(engine: str, version: str) -> dict[str, Any]:
    return {
        "Engine": engine,
        "MajorEngineVersion": _major(version),
        "EngineVersion": version,
        "DBParameterGroupFamily": family(engine, version),
        "DBEngineDescription": _DESCRIPTIONS[engine],
        "DBEngineVersionDescription": f"{engine} {version}",
        "DBEngineVersionArn": f"arn:aws:rds::aws:engine/{engine}/{version}",
        "Status": "available",
        "SupportsReadReplica": False,
    }


OPERATIONS: Final[Operations] = {"DescribeDBEngineVersions": describe_db_engine_versions}
