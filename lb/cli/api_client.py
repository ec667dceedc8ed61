"""Talks to the API of a running balancer: GET and POST of JSON, for the commands that act on one.

Documented exit codes: 3 when no balancer answers, 1 when it answers that something cannot be done.
"""

import http.client
import json
import urllib.error
import urllib.request
from typing import Any

import click

DEFAULT_API = "http://127.0.0.1:9000"

# Above the longest thing a balancer does before it answers: stopping a web server that will not stop.
_TIMEOUT_S = 30.0


class NoBalancerError(click.ClickException):
    """Nothing that is a balancer's API answers at the given address."""

    exit_code = 3


class RefusedError(click.ClickException):
    """The balancer answered with an error. `status` is HTTP's, `code` the API's word for it ("" where it has none)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ApiClient:
    """The API at `url`. Raises NoBalancerError and RefusedError, which click shows as one line."""

    def __init__(self, url: str = DEFAULT_API) -> None:
        if not url.startswith(("http://", "https://")):
            raise click.BadParameter(f"'{url}' is not an address such as {DEFAULT_API}", param_hint="'--api'")
        self._url = url.rstrip("/")
        # No proxy, whatever the environment says: it could not reach this machine's loopback address.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path: str) -> Any:
        """The JSON value at `path`."""
        return self._call("GET", path, None)

    def post(self, path: str, value: object = None) -> Any:
        """Sends `value` as JSON (None: no body) and returns the JSON answer."""
        return self._call("POST", path, b"" if value is None else json.dumps(value).encode())

    def _call(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/json"
        try:
            request = urllib.request.Request(self._url + path, data=body, method=method, headers=headers)  # noqa: S310
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error.code, error.read()) from None
        except http.client.HTTPException:
            raise self._stranger() from None
        except (OSError, ValueError) as error:
            raise NoBalancerError(
                f"no balancer answers at {self._url}: start one with 'lb demo' or 'lb up', or name its API with --api"
                f" ({_reason(error)})"
            ) from error
        try:
            return json.loads(text)
        except ValueError:
            raise self._stranger() from None

    def _refusal(self, status: int, text: bytes) -> click.ClickException:
        try:
            error = json.loads(text)["error"]
            return RefusedError(status, str(error["code"]), str(error["message"]))
        except (ValueError, LookupError, TypeError):
            # Not the API's own form of an error: a path that this balancer does not serve, or no balancer at all.
            return RefusedError(status, "", "") if status == 404 else self._stranger()

    def _stranger(self) -> NoBalancerError:
        return NoBalancerError(f"what answers at {self._url} is not a balancer's API: name it with --api")


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason)
