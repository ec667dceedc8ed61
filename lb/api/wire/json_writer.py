"""Results as JSON values, by the shape of an operation's output."""

import base64
from datetime import datetime
from typing import Any

from lb.api.wire.shape import Shape


def jsonable(shape: Shape, value: Any) -> Any:
    """A value that `json.dumps` takes: times as seconds since 1970, bytes in base64, no members that are None or unknown."""
    match shape.type_name:
        case "structure":
            return {
                member.serialization.get("name", name): jsonable(member, each)
                for name, each in value.items()
                if each is not None and (member := shape.members.get(name)) is not None
            }
        case "list":
            return [jsonable(shape.member, each) for each in value]
        case "map":
            return {key: jsonable(shape.value, each) for key, each in value.items()}
        case "timestamp":
            return (datetime.fromisoformat(value) if isinstance(value, str) else value).timestamp()
        case "blob":
            return base64.b64encode(value).decode()
        case "float" | "double" if value != value or value in (float("inf"), float("-inf")):
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value
