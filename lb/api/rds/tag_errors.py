"""The errors of RDS about tags."""

from typing import Final

from lb.api.tag_list import TagErrors

TAG_ERRORS: Final = TagErrors(invalid="InvalidParameterValue", too_many="InvalidParameterValue")
