"""HAProxy as the reverse proxy: one thread, `http-reuse always`, access log on standard output, which is a file."""

from bench.nginx_conf import CONNECTIONS
from bench.peers.base import Launch, Site, not_installed, version_of


class HAProxy:
    """HAProxy."""

    name = "haproxy"

    def missing(self) -> str | None:
        """See Peer."""
        return not_installed("haproxy", "haproxy")

    def version(self) -> str:
        """See Peer."""
        return version_of(["haproxy", "-v"])

    def prepare(self, site: Site) -> Launch:
        """See Peer."""
        servers = "\n".join(
            f"    server origin{number} 127.0.0.1:{port}" for number, port in enumerate(site.origin_ports, 1)
        )
        config = f"""global
    nbthread 1
    maxconn {CONNECTIONS}
    log stdout format raw local0 info

defaults
    mode http
    log global
    option httplog
    option forwardfor
    http-reuse always
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 75s

frontend clients
    bind 127.0.0.1:{site.port} backlog 4096
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Port %[dst_port]
    default_backend origins

backend origins
    balance roundrobin
{servers}
"""
        path = site.directory / "haproxy.cfg"
        path.write_text(config)
        # -db: in the foreground, one process. It cannot write a log file itself, only to standard output or syslog.
        argv = ["haproxy", "-db", "-f", str(path)]
        return Launch(argv=argv, config=config, output=site.directory / "access.log")
