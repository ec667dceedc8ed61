#!/bin/bash
# Makes stand-ins for the base images of the compose demo, for machines that cannot pull any (CI).
#
#   debian:trixie-slim       debootstrap's minbase, with this machine's CA bundle, so that pip works inside builds
#                            where the network is behind a proxy with a certificate of its own
#   local-alb/mysql-stand-in a MariaDB that honours the MYSQL_* variables of the official mysql image; use it with
#                            export LB_MYSQL_IMAGE=local-alb/mysql-stand-in:1
#
# An image that is there already is kept, real or stand-in. Needs root (debootstrap) and a Docker engine, which is
# started when none answers (see engine.sh).
# LB_DEBIAN_MIRROR: a Debian mirror other than debootstrap's own default.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base=debian:trixie-slim
mysql=local-alb/mysql-stand-in:1
ca_bundle=/etc/ssl/certs/ca-certificates.crt
# Compose 1.29 and a plain docker.io have the classic builder only.
export DOCKER_BUILDKIT=0

"$here/engine.sh" start

have() {
    docker image inspect "$1" >/dev/null 2>&1
}

make_base() (
    root=$(mktemp -d "${TMPDIR:-/var/tmp}/lb-trixie.XXXXXX")
    trap 'rm -rf "$root"' EXIT
    if ! debootstrap --variant=minbase trixie "$root/fs" ${LB_DEBIAN_MIRROR:+"$LB_DEBIAN_MIRROR"} >"$root/log" 2>&1; then
        echo "stand-ins: debootstrap failed; the end of its log:" >&2
        tail -n 20 "$root/log" "$root/fs/debootstrap/debootstrap.log" >&2 || true
        exit 1
    fi
    rm -rf "$root"/fs/var/cache/apt/archives/*.deb "$root"/fs/var/lib/apt/lists/*
    # As in the official image: packages installed in a build must not start services.
    printf '#!/bin/sh\nexit 101\n' >"$root/fs/usr/sbin/policy-rc.d"
    chmod 755 "$root/fs/usr/sbin/policy-rc.d"
    changes=(--change 'CMD ["bash"]' --change 'LABEL local-alb.stand-in=true')
    if [[ -f $ca_bundle ]]; then
        # Not at the bundle's usual path: Debian's ca-certificates package, once installed, would write over it.
        install -D -m 644 "$ca_bundle" "$root/fs/usr/local/share/stand-in/ca-bundle.crt"
        for name in PIP_CERT SSL_CERT_FILE; do
            changes+=(--change "ENV $name=/usr/local/share/stand-in/ca-bundle.crt")
        done
    fi
    tar -C "$root/fs" -c . | docker import "${changes[@]}" - "$base" >/dev/null
)

if have "$base"; then
    echo "stand-ins: $base is there"
else
    echo "stand-ins: making $base with debootstrap (about half a minute)"
    make_base
fi

# The build cache makes this a matter of a second when nothing changed.
echo "stand-ins: building $mysql"
docker build --quiet --tag "$mysql" "$here/mysql" >/dev/null
echo "stand-ins: ready; export LB_MYSQL_IMAGE=$mysql"
