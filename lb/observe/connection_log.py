"""One connection log entry (fact sheet 9.7), for connections without TLS: everything that TLS would tell is `-`. Pure."""

from datetime import UTC, datetime

from lb.http.record import ConnectionRecord


def format_plain(record: ConnectionRecord) -> str:
    """The entry with its line end."""
    made = datetime.fromtimestamp(record.made_s, UTC)
    return (
        f"{made:%Y-%m-%dT%H:%M:%S.%f}Z {record.client_ip} {record.client_port} {record.origin.port} "
        f'- - - "-" - - - {record.connection_id} -\n'
    )
