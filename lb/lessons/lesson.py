"""A lesson as its data file has it."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lb.lessons.checks import read_parameters
from lb.lessons.text import Text


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Check(_Part):
    """A check and its parameters; in the file a mapping of one key: `healthy: {group: web, servers: [...]}`."""

    name: str
    parameters: Mapping[str, Any]

    @model_validator(mode="before")
    @classmethod
    def _unpack(cls, value: Any) -> Any:
        if not isinstance(value, dict) or len(value) != 1:
            raise ValueError("a check is one name with its parameters")
        ((name, parameters),) = value.items()
        return {"name": name, "parameters": read_parameters(name, parameters or {})}


class Step(_Part):
    """One thing to do. `cli` are commands of a shell, `console` says the same for the web console; `{url}` is filled in."""

    title: Text
    text: Text
    cli: Annotated[str, Field(min_length=1)]
    console: Text
    hints: tuple[Text, ...] = ()
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]


class Server(_Part):
    """An instance that the lesson's start launches; `page` is its front page, its name where none is given."""

    name: str
    page: str | None = None


class Group(_Part):
    """A target group that the lesson's start makes. `servers` are registered by name."""

    name: str
    servers: tuple[str, ...] = ()
    health_check_path: str = "/"
    attributes: dict[str, str] = Field(default_factory=dict)


class Preparation(_Part):
    """What the lesson's start makes.

    `load_balancer` is its name; its listener on port 80 forwards to the first of `groups`. `database` says that
    a MySQL server must be configured, and makes it a DB instance that lets the servers in.
    """

    servers: tuple[Server, ...] = ()
    groups: tuple[Group, ...] = ()
    load_balancer: str | None = None
    database: bool = False


class Lesson(_Part):
    """A lesson. `url_of` names the load balancer whose address stands for `{url}`."""

    id: Annotated[str, Field(pattern=r"^[1-9][0-9]?$")]
    title: Text
    goal: Text
    explanation: Text
    observe: Text
    url_of: str | None = None
    prepare: Preparation = Preparation()
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        servers = {server.name for server in self.prepare.servers}
        for group in self.prepare.groups:
            if unknown := set(group.servers) - servers:
                raise ValueError(f"target group {group.name}: no server is called {', '.join(sorted(unknown))}")
        if self.prepare.load_balancer is not None and not self.prepare.groups:
            raise ValueError("a load balancer needs a target group to forward to")
        if self.prepare.database and not servers:
            raise ValueError("a database needs a server that asks it")
        return self

    def uses(self, check: str) -> bool:
        """Whether a step has this check."""
        return any(each.name == check for step in self.steps for each in step.checks)
