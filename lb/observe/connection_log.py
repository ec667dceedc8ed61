"""One connection log entry (fact sheet 9.7), for connections without TLS: everything that TLS would tell is `-`. Pure."""

from datetime import UTC, datetime


def format_plain(made_s: float, client_ip: str, client_port: int, listener_port: int, connection_id: str) -> str:
    """The entry with its line end. `made_s`: epoch seconds when the connection was made; `connection_id`: `TID_...`."""
    made = datetime.fromtimestamp(made_s, UTC)
    return f'{made:%Y-%m-%dT%H:%M:%S.%f}Z {client_ip} {client_port} {listener_port} - - - "-" - - - {connection_id} -\n'
