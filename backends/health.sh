#!/bin/sh
# Switches this server's answer to the balancer's health check: health down | health up
set -eu

case ${1:-} in
    up | down) ;;
    *)
        echo "usage: health up|down" >&2
        exit 2
        ;;
esac
# The page answers 503 when switched down, as it should: what is printed is the status, not a failure.
curl --silent --show-error --output /dev/null --max-time 5 \
    --write-out "/health.php now answers %{http_code}\n" "http://127.0.0.1/health.php?set=$1"
