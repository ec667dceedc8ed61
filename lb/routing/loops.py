"""Whether a redirect action sends its clients in a circle: follows it for one request, with the code that routes."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from lb.http.head import HeadReader, Rejected
from lb.model.rules import HostHeader, HttpRequestMethod, PathPattern
from lb.routing.decide import Reply, decide, view_of
from lb.routing.plan import ListenerPlan
from lb.routing.redirect import LocationTooLong, RedirectTemplate
from lb.routing.walk import CompiledRule

# What browsers follow before they give up.
_MOST_REDIRECTS: Final = 20
_SOME_HOST: Final = "any-host.example"
# TEST-NET-1 (RFC 5737): rules that look at the address are left alone.
_CLIENT: Final = "192.0.2.1"


def redirect_loop(listener: ListenerPlan, rule: CompiledRule, http_ports: Collection[int]) -> str | None:
    """What is wrong with the rule's redirect; None where nothing is, or nothing can be said for certain.

    `http_ports` are the ports of all HTTP listeners. Only redirects that stay on the host that was asked for are followed:
    another host may be another machine.
    """
    if not isinstance(rule.action, RedirectTemplate):
        return None
    url = _example(listener, rule)
    if url is None:
        return None
    seen = [url]
    decided: list[CompiledRule] = []
    for _ in range(_MOST_REDIRECTS):
        step = _redirected(listener, seen[-1])
        if step is None or (len(seen) == 1 and step[0] is not rule):
            return None
        before, after = urlsplit(seen[-1]), urlsplit(step[1])
        if after.hostname != before.hostname:
            return None
        if after.scheme == "https" and after.port in http_ports:
            return f"{seen[-1]} is redirected to {step[1]}, but port {after.port} speaks plain HTTP here"
        if after.scheme != "http" or after.port != listener.port:
            return None
        decided.append(step[0])
        if step[1] in seen:
            begin = seen.index(step[1])
            # A circle that this rule only leads into is a finding of the others.
            return _circle(seen[begin:]) if rule in decided[begin:] else None
        seen.append(step[1])
    return f"{url} is redirected again and again, without end"


def _circle(urls: list[str]) -> str:
    if len(urls) == 1:
        return f"{urls[0]} is redirected to itself, without end"
    return f"{' to '.join([*urls, urls[0]])}: redirected in a circle, without end"


def _example(listener: ListenerPlan, rule: CompiledRule) -> str | None:
    """The URL of a request that meets the rule's conditions, in the form of a Location."""
    host, path = _SOME_HOST, "/"
    for condition in rule.rule.conditions:
        match condition:
            case HostHeader(values=(first, *_)):
                host = first.replace("*", "x").replace("?", "x").lower()
            case PathPattern(values=(first, *_)):
                path = first.replace("*", "" if first.startswith("/") else "/x").replace("?", "x")
            case HttpRequestMethod() if "GET" in condition.values:
                pass
            case _:
                return None
    return f"http://{host}:{listener.port}{path}" if path.startswith("/") else None


def _redirected(listener: ListenerPlan, url: str) -> tuple[CompiledRule, str] | None:
    """The rule that decides about GET of a URL, and where it sends the client; None where it does not."""
    parts = urlsplit(url)
    uri = parts.path + (f"?{parts.query}" if parts.query else "")
    text = f"GET {uri} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
    try:
        found = HeadReader().read(text.encode(), 0, "monitor", drop_invalid=False)
    except Rejected:
        return None
    if found is None:
        return None
    decision = decide(listener, found[0], _CLIENT)
    if isinstance(decision, Reply) or not isinstance(decision.action, RedirectTemplate):
        return None
    try:
        location = decision.action.location(view_of(listener, found[0], _CLIENT), b"http", listener.port)
    except LocationTooLong:
        return None
    return decision, location.decode("ascii")
