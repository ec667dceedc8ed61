"""`DryRun`: whether a call would succeed."""

from lb.api.call import ApiError, Call, Handler, Operations, Params, Result


def with_dry_run(operations: Operations) -> Operations:
    """The handlers, each refusing a call with `DryRun` once it has found nothing else to refuse."""
    return {name: _checked(handler) for name, handler in operations.items()}


def _checked(handler: Handler) -> Handler:
    def checked(call: Call, params: Params) -> Result:
        result = handler(call, params)
        if params.get("DryRun"):
            # An error also keeps the endpoint from carrying out what the handler changed.
            raise ApiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        return result

    return checked
