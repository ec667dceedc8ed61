<?php
/*
 * Makes what is not there yet: WordPress's database and its user, then the site in it. Every server of the site runs this
 * before it serves; a lock in the database lets one through at a time, and the next one finds all done.
 *
 * Settings, beside those of config-default.php: LB_DB_ROOT_PASSWORD, to create database and user; LB_WORDPRESS_PASSWORD of
 * WordPress's user `admin`, for the installation.
 */
declare(strict_types=1);

const DATABASE_STARTS_WITHIN_S = 60;
const SETUP_TAKES_AT_MOST_S = 120;
/** Error number of the client library when nobody answers: the database is still starting. */
const CR_CONNECTION_ERROR = 2002;

function connect_as_root(): mysqli
{
    mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
    $deadline = time() + DATABASE_STARTS_WITHIN_S;
    while (true) {
        try {
            // The @ is for the warning that comes besides the exception.
            return @new mysqli(
                getenv('LB_DB_HOST'),
                'root',
                getenv('LB_DB_ROOT_PASSWORD'),
                port: (int) getenv('LB_DB_PORT'),
            );
        } catch (mysqli_sql_exception $error) {
            if ($error->getCode() !== CR_CONNECTION_ERROR || time() >= $deadline) {
                throw $error;
            }
            sleep(1);
        }
    }
}

function lock(mysqli $root): void
{
    // The server lets go of the lock when the connection ends, however that comes about.
    $answer = $root->query(sprintf("SELECT GET_LOCK('wordpress-setup', %d)", SETUP_TAKES_AT_MOST_S))->fetch_row();
    if ($answer[0] !== '1') {
        throw new RuntimeException('another server has been setting up WordPress for too long');
    }
}

/** Also makes the user's password what LB_DB_PASSWORD says now. */
function create_database(mysqli $root): void
{
    $database = sprintf('`%s`', str_replace('`', '``', getenv('LB_DB_NAME')));
    $user = sprintf("'%s'@'%%'", $root->real_escape_string(getenv('LB_DB_USER')));
    $password = sprintf("'%s'", $root->real_escape_string(getenv('LB_DB_PASSWORD')));
    $root->query("CREATE DATABASE IF NOT EXISTS $database CHARACTER SET utf8mb4");
    $root->query("CREATE USER IF NOT EXISTS $user IDENTIFIED BY $password");
    $root->query("ALTER USER $user IDENTIFIED BY $password");
    $root->query("GRANT ALL ON $database.* TO $user");
}

/** Instead of WordPress's own, which would send a mail. */
function wp_new_blog_notification(): void
{
}

$root = connect_as_root();
lock($root);
create_database($root);

// WordPress's files expect to be loaded into the global scope, and during a request.
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = 'localhost';
require '/usr/share/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

if (!is_blog_installed()) {
    wp_install(
        'WordPress behind a load balancer',
        'admin',
        'admin@wordpress.example',
        false,
        '',
        getenv('LB_WORDPRESS_PASSWORD'),
    );
    // Pictures of commenters would come from another host.
    update_option('show_avatars', '0');
    // Made now, while the other servers wait: made at the first login, they could be made by two servers at once.
    array_map('wp_salt', ['auth', 'secure_auth', 'logged_in', 'nonce']);
    echo "WordPress is installed; log in as admin\n";
}
