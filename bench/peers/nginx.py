"""nginx as the reverse proxy: one worker, `upstream keepalive`, streaming both ways, buffered access log."""

from bench.nginx_conf import CONNECTIONS, main_block, temp_paths
from bench.peers.base import Launch, Site, not_installed, version_of

_IDLE_CONNECTIONS = 256

# About the fields of ALB's access log, so that a line costs about the same. Buffered: the form nginx recommends under load.
_LOG_FORMAT = (
    "'$time_iso8601 $remote_addr:$remote_port $upstream_addr $request_time $upstream_response_time $status "
    '$upstream_status $request_length $bytes_sent "$request" "$http_user_agent"\''
)


class Nginx:
    """nginx, the baseline."""

    name = "nginx"

    def missing(self) -> str | None:
        """See Peer."""
        return not_installed("nginx", "nginx-light")

    def version(self) -> str:
        """See Peer."""
        return version_of(["nginx", "-v"])

    def prepare(self, site: Site) -> Launch:
        """See Peer."""
        servers = "\n".join(f"        server 127.0.0.1:{port};" for port in site.origin_ports)
        config = f"""{main_block(site.directory)}
events {{ worker_connections {CONNECTIONS}; }}
http {{
{temp_paths(site.directory)}
    log_format alb {_LOG_FORMAT};
    access_log {site.directory}/access.log alb buffer=64k flush=1s;
    keepalive_timeout 75s;
    keepalive_requests 100000000;
    client_max_body_size 64m;
    upstream origins {{
{servers}
        keepalive {_IDLE_CONNECTIONS};
        keepalive_requests 100000000;
    }}
    server {{
        listen 127.0.0.1:{site.port} backlog=4096;
        location / {{
            proxy_pass http://origins;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Port $server_port;
            proxy_request_buffering off;
            proxy_max_temp_file_size 0;
        }}
    }}
}}
"""
        path = site.directory / "nginx.conf"
        path.write_text(config)
        # -e: the compiled-in error log belongs to the system's own nginx.
        argv = ["nginx", "-e", "stderr", "-p", str(site.directory), "-c", str(path)]
        return Launch(argv=argv, config=config, output=site.directory / "output.log")
