"""The errors of IAM about tags."""

from typing import Final

from lb.api.tag_list import TagErrors

TAG_ERRORS: Final = TagErrors(invalid="InvalidInput", too_many="LimitExceeded", too_many_status=409)
