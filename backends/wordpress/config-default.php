<?php
/*
 * WordPress's configuration, the same on every server of the site: Debian's wp-config.php reads it. Settings: LB_DB_HOST,
 * LB_DB_PORT, LB_DB_NAME, LB_DB_USER, LB_DB_PASSWORD.
 *
 * Keys and salts are missing on purpose: WordPress then keeps them in the database, where every server finds the same. So
 * the cookie of a login on one server is good on all; what it stands for, the session, is in the database anyway.
 */

define('DB_HOST', getenv('LB_DB_HOST') . ':' . getenv('LB_DB_PORT'));
define('DB_NAME', getenv('LB_DB_NAME'));
define('DB_USER', getenv('LB_DB_USER'));
define('DB_PASSWORD', getenv('LB_DB_PASSWORD'));
define('DB_CHARSET', 'utf8mb4');

// Links lead to where the browser came from, port included: a load balancer passes Host on and says how it was asked.
define('WP_HOME', ($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? 'http') . '://' . $_SERVER['HTTP_HOST']);
define('WP_SITEURL', WP_HOME);

// Themes and plugins are files: installed through one server, they would be missing on the other.
define('DISALLOW_FILE_MODS', true);

// WordPress asks no other host: the demo works without the internet, and pages do not wait for it.
define('WP_HTTP_BLOCK_EXTERNAL', true);
// WordPress would call itself at the balancer's address, which from inside the container is nobody's.
define('DISABLE_WP_CRON', true);
