"""What the balancer's own API answers when it refuses: `{"error": {"code", "message"}}`."""

from starlette.responses import JSONResponse


def refusal(status: int, code: str, message: str) -> JSONResponse:
    """`code` is for programs, `message` one sentence for people."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
