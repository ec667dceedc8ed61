"""One AWS service as botocore describes it: its operations, and writers of its answers, made when first needed."""

from typing import Any

from botocore.loaders import Loader  # type: ignore[import-untyped]
from botocore.model import ServiceModel  # type: ignore[import-untyped]

from lb.api.wire.shape import Shape
from lb.api.wire.xml_writer import Writer, structure_members


def model_loader() -> Loader:
    """Loads the models that botocore comes with."""
    # The default search path has ~/.aws/models in it: what is answered must not depend on somebody's home directory.
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


class Service:
    """A loaded service model."""

    def __init__(self, name: str, loader: Loader) -> None:
        """Raises botocore's UnknownServiceError for a name that it does not know."""
        self.name = name
        self._model = ServiceModel(loader.load_service_model(name, "service-2"), name)
        self._operations = frozenset(self._model.operation_names)
        self._writers: dict[str, Writer | None] = {}

    def metadata(self, key: str) -> str:
        """An entry of the model's metadata, empty where it has none."""
        value: Any = self._model.metadata.get(key, "")
        return str(value)

    @property
    def version(self) -> str:
        """The API version, a date."""
        return self.metadata("apiVersion")

    @property
    def is_query_compatible(self) -> bool:
        """Whether its JSON errors also tell the code that they had in the query protocol."""
        return bool(self._model.is_query_compatible)

    def has(self, operation: str) -> bool:
        """Whether the model knows the operation."""
        return operation in self._operations

    def input_shape(self, operation: str) -> Shape | None:
        """The structure of an operation's parameters, None where it has none."""
        shape: Shape | None = self._model.operation_model(operation).input_shape
        return shape

    def output_shape(self, operation: str) -> Shape | None:
        """The structure of an operation's result, None where it has none."""
        shape: Shape | None = self._model.operation_model(operation).output_shape
        return shape

    def xml_writer(self, operation: str) -> Writer | None:
        """Writes the members of an operation's result, None where it has no result."""
        if operation not in self._writers:
            shape = self.output_shape(operation)
            self._writers[operation] = None if shape is None else structure_members(shape)
        return self._writers[operation]

    def error_shape(self, code: str) -> str | None:
        """The name of the error shape which has this code on the wire."""
        shape: Shape | None = self._model.shape_for_error_code(code)
        return None if shape is None else shape.name
