# The load balancer. Its configuration is mounted at /etc/lb (see docker-compose.yml and compose/lb.yaml).
FROM debian:trixie-slim AS build

RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY lb lb
RUN python3 -m venv /opt/lb \
 && /opt/lb/bin/pip install --no-cache-dir -c constraints.txt .


FROM debian:trixie-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --no-create-home --shell /usr/sbin/nologin lb \
 && install -d -o lb -g lb /var/lib/lb

COPY --from=build /opt/lb /opt/lb
ENV PATH=/opt/lb/bin:$PATH PYTHONUNBUFFERED=1

# Ports above 1024 only: nothing here needs root.
USER lb
VOLUME /var/lib/lb
EXPOSE 8080 9000
STOPSIGNAL SIGTERM
# Exec form: lb is process 1 and gets the stop signal itself; a shell in between would keep it.
ENTRYPOINT ["lb"]
CMD ["up", "/etc/lb/lb.yaml", "--watch", "--host", "0.0.0.0", \
     "--api-host", "0.0.0.0", "--api-port", "9000", "--data", "/var/lib/lb"]
