"""Finished requests, made up."""

from lb.http.head import HeadReader
from lb.http.record import Origin, RequestRecord

BALANCER = "app/web/0123456789abcdef"
GROUP = "targetgroup/shop/fedcba9876543210"
ZONE = "us-east-1a"
_ARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:"


def finished(
    request=b"GET / HTTP/1.1\r\nHost: test\r\n\r\n",
    *,
    balancer=BALANCER,
    group=GROUP,
    client="127.0.0.1:40000",
    took_s=0.01,
    sent=True,
    **fields,
):
    """A record; by default of a request that a target answered with 200. `request` None: an unreadable one."""
    head = request and HeadReader().read(request, 0, "monitor", drop_invalid=False)[0]
    record = RequestRecord(
        Origin(balancer, "web.localhost", 8080), client, "TID_" + "0" * 32, head, 1_800_000_000.0, 100.0
    )
    record.target_group_arn = _ARN + group if group else ""
    record.target = "127.0.0.1:8081"
    record.action = "forward"
    record.status = record.target_status = 200
    if sent:
        record.sent_at = 100.0
        record.responded_at = 100.0 + took_s
    for name, value in fields.items():
        setattr(record, name, value)
    return record
