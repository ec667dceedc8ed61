"""The page that an instance's user data sets. Read, never run: it may come from a lesson written for a real machine."""

import re
from typing import Final

_INDEX: Final = r"(?:/var/www/html/)index\.html"
_ECHO: Final = re.compile(
    rf"""echo\s+(?:-[ne]+\s+)?(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<bare>[^'">|\n]+?))\s*"""
    rf"""(?:>|\|\s*(?:sudo\s+)?tee)\s*{_INDEX}"""
)
_HERE: Final = re.compile(
    r"""(?:cat|tee)\b[^\n]*<<-?\s*['"]?(?P<end>\w+)['"]?[^\n]*\n(?P<text>.*?)\n\s*(?P=end)\s*$""",
    re.DOTALL | re.MULTILINE,
)
_ESCAPED: Final = re.compile(r"\\(.)")


def page_of(user_data: str) -> str | None:
    """What becomes `index.html`: text or HTML as it is, of a shell script what it writes there; None for no page.

    Of a script `echo ... > /var/www/html/index.html`, the same with `tee`, and a here document are understood.
    """
    if not user_data.strip() or user_data.startswith("#cloud-config"):
        return None
    if not user_data.startswith("#!"):
        return user_data
    if (here := _HERE.search(user_data)) is not None and re.search(_INDEX, here[0]):
        return here["text"] + "\n"
    if (echo := _ECHO.search(user_data)) is None:
        return None
    if echo["double"] is not None:
        return _ESCAPED.sub(r"\1", echo["double"]) + "\n"
    return (echo["single"] if echo["single"] is not None else echo["bare"]) + "\n"
