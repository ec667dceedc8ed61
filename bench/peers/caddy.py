"""Caddy as the reverse proxy: GOMAXPROCS=1, keep-alive to the origins, JSON access log in a file."""

from bench.peers.base import Launch, Site, not_installed, version_of

_IDLE_CONNECTIONS = 256


class Caddy:
    """Caddy."""

    name = "caddy"

    def missing(self) -> str | None:
        """See Peer."""
        return not_installed("caddy", "caddy")

    def version(self) -> str:
        """See Peer."""
        return version_of(["caddy", "version"])

    def prepare(self, site: Site) -> Launch:
        """See Peer."""
        origins = " ".join(f"127.0.0.1:{port}" for port in site.origin_ports)
        # X-Forwarded-For and -Proto are added by Caddy itself.
        config = f"""{{
    admin off
    auto_https off
    log {{
        level WARN
    }}
}}

http://127.0.0.1:{site.port} {{
    bind 127.0.0.1
    log {{
        level INFO
        output file {site.directory}/access.log {{
            roll_disabled
        }}
    }}
    reverse_proxy {origins} {{
        lb_policy round_robin
        header_up X-Forwarded-Port {site.port}
        transport http {{
            keepalive 75s
            keepalive_idle_conns_per_host {_IDLE_CONNECTIONS}
        }}
    }}
}}
"""
        path = site.directory / "Caddyfile"
        path.write_text(config)
        # Caddy keeps certificates and its last configuration in the user's home: here that is the run's own directory.
        home = str(site.directory)
        return Launch(
            argv=["caddy", "run", "--config", str(path), "--adapter", "caddyfile"],
            config=config,
            output=site.directory / "output.log",
            environment={"GOMAXPROCS": "1", "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home},
        )
