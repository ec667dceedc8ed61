"""The balancer and the proxies it is compared with: one file each, all doing the same work (docs/benchmarks.md)."""

from bench.peers.base import Launch, Peer, Site
from bench.peers.caddy import Caddy
from bench.peers.haproxy import HAProxy
from bench.peers.lb import Balancer, BalancerWithRules, NodeAlone
from bench.peers.nginx import Nginx

BASELINE = "nginx"
"""Ratios are to this one; the origin servers are the same program."""

__all__ = ["BASELINE", "Balancer", "BalancerWithRules", "Launch", "NodeAlone", "Peer", "Site", "all_peers"]


def all_peers() -> tuple[Peer, ...]:
    """Return every peer in the order in which they take turns, the baseline first."""
    return (Nginx(), Balancer(), HAProxy(), Caddy())
