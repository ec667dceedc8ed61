"""X-Amzn-Trace-Id (ELB "Request tracing for your Application Load Balancer", fact sheet 7.4)."""

from lb.http import limits


def trace_id(given: bytes | None, epoch_s: int, unique: bytes) -> bytes:
    """The value that goes to the target.

    `given` is the client's header, `epoch_s` the time in seconds, `unique` 24 hex digits. A client's Root and its own
    fields are kept, and Self is added or replaced; without a Root a new one is made.
    """
    fresh = b"1-%08x-%b" % (epoch_s, unique)
    if not given or len(given) > limits.TRACE_ID:
        return b"Root=" + fresh
    fields = [field.strip() for field in given.split(b";") if field.strip()]
    others = [field for field in fields if not field.lower().startswith(b"self=")]
    if any(field.lower().startswith(b"root=") for field in others):
        return b"Self=" + fresh + b";" + b";".join(others)
    return b";".join((b"Root=" + fresh, *others))
