"""The language that a caller wants sentences in: `?lang=ko`."""

from starlette.requests import Request

from lb.model.said import LANGUAGES, Language


class UnknownLanguageError(Exception):
    """Another one than these. The application answers 400."""

    def __init__(self) -> None:
        super().__init__(f"lang must be one of {', '.join(LANGUAGES)}")


def language_of(request: Request) -> Language:
    """English without the parameter. Raises UnknownLanguageError."""
    asked = request.query_params.get("lang", LANGUAGES[0])
    for language in LANGUAGES:
        if asked == language:
            return language
    raise UnknownLanguageError
