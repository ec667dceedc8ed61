#!/bin/sh
# Prepares the site, or waits until another server has, then becomes the command (Apache). What is needed for preparing
# only, Apache and its pages do not get to know.
set -eu

# As the user that serves: what WordPress makes on the way (folders of uploads) must be writable later.
setpriv --reuid=www-data --regid=www-data --clear-groups php /usr/local/lib/wordpress/setup.php
unset LB_DB_ROOT_PASSWORD LB_WORDPRESS_PASSWORD

exec "$@"
