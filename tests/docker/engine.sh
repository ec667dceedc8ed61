#!/bin/bash
# Starts a Docker engine by hand where none answers, and ends it again: for machines without systemd (CI, sandboxes).
#
#   engine.sh start    nothing to do when an engine answers; else starts dockerd and waits until it does (180 s at most)
#   engine.sh stop     ends the engine that `start` started, by its process id; any other engine is left alone
#
# LB_DOCKER_CACHE: where images, logs and the process id are kept (default: ~/.cache/local-alb/docker).
set -euo pipefail

cache=${LB_DOCKER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/local-alb/docker}
run=$cache/run
pid_file=$run/dockerd.pid
log=$run/dockerd.log
start_limit_s=180
stop_limit_s=60

answers() {
    timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null
}

# A process id in a file outlives its process and may have been given to another one: the name tells.
our_pid() {
    local pid
    pid=$(cat "$pid_file" 2>/dev/null) || return 1
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) == dockerd ]] || return 1
    echo "$pid"
}

start() {
    local version pid deadline
    if version=$(answers); then
        echo "engine: Docker $version answers already"
        return
    fi
    if [[ $(id -u) != 0 ]]; then
        echo "engine: no Docker engine answers, and starting one needs root" >&2
        return 1
    fi
    if ! command -v dockerd >/dev/null; then
        echo "engine: no Docker engine answers, and there is no dockerd (Debian: apt-get install docker.io)" >&2
        return 1
    fi
    mkdir -p "$run" "$cache/data"
    if our_pid >/dev/null; then
        stop
    fi
    rm -f "$pid_file"
    # All descriptors are given up: a pipe held open by the daemon would keep whoever reads our output waiting.
    setsid --fork dockerd --data-root "$cache/data" --exec-root "$run/exec" --pidfile "$pid_file" \
        </dev/null >"$log" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    deadline=$((SECONDS + start_limit_s))
    until version=$(answers); do
        if ((SECONDS >= deadline)); then
            echo "engine: dockerd did not answer within $start_limit_s s; the end of $log:" >&2
            tail -n 20 "$log" >&2
            stop
            return 1
        fi
        sleep 0.5
    done
    pid=$(our_pid) || { echo "engine: an engine answers, but not the one started here; see $log" >&2; return 1; }
    echo "engine: Docker $version started, process $pid, data in $cache/data"
}

stop() {
    local pid deadline
    if ! pid=$(our_pid); then
        return
    fi
    kill -TERM "$pid"
    deadline=$((SECONDS + stop_limit_s))
    while [[ -e /proc/$pid ]]; do
        if ((SECONDS >= deadline)); then
            echo "engine: dockerd ($pid) did not end within $stop_limit_s s of SIGTERM; killed" >&2
            kill -KILL "$pid"
            break
        fi
        sleep 0.2
    done
    rm -f "$pid_file"
    echo "engine: dockerd ($pid) ended"
}

case ${1:-} in
    start) start ;;
    stop) stop ;;
    *)
        echo "usage: $0 start|stop" >&2
        exit 2
        ;;
esac
