#!/bin/sh
# Writes the page that tells which server this is, then becomes the command (Apache).
#
#   WEB_SERVER_NAME  the name on the page, for example "Web Server 1"
#   WEB_ROOT         where the page goes (default: /var/www/html)
set -eu

name=$(printf '%s' "${WEB_SERVER_NAME:-Web Server}" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g')
printf '<html><body><p> %s </p></body></html>' "$name" >"${WEB_ROOT:-/var/www/html}/index.html"

exec "$@"
