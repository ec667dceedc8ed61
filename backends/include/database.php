<?php
/*
 * Can this web server reach its database? Says not only that it failed but what that usually means: each outcome
 * points at another place to look. The outcomes are those of `lb db check`. Settings: LB_DB_HOST, LB_DB_PORT, LB_DB_USER, LB_DB_PASSWORD, LB_DB_NAME.
 */
declare(strict_types=1);

require_once __DIR__ . '/page.php';

/** A firewall that drops packets gives no answer at all; the page must not wait for it as long as TCP would. */
const CONNECT_TIMEOUT_S = 2;

/** Error numbers of the MySQL server (1xxx) and of its client library (2xxx). */
const ER_CON_COUNT = 1040;
const ER_DBACCESS_DENIED = 1044;
const ER_ACCESS_DENIED = 1045;
const ER_BAD_DB = 1049;
const ER_HOST_NOT_PRIVILEGED = 1130;
const ER_ACCESS_DENIED_NO_PASSWORD = 1698;
const CR_CONNECTION_ERROR = 2002;
const CR_NOT_IMPLEMENTED = 2054;

/**
 * Tries the database once.
 * Returns `outcome` (a word for programs), `message` (what happened), `cause` (the usual reason, empty when all is
 * well) and, when settings were there, `where` and `milliseconds`.
 */
function check_database(): array
{
    $host = setting('LB_DB_HOST');
    if ($host === null) {
        return outcome('not-configured', 'No database is configured.', 'LB_DB_HOST is not set for this web server.');
    }
    $port = (int) (setting('LB_DB_PORT') ?? '3306');
    $started = hrtime(true);
    $result = try_database($host, $port);
    $result['where'] = $host . ':' . $port;
    $result['milliseconds'] = intdiv(hrtime(true) - $started, 1_000_000);
    return $result;
}

function try_database(string $host, int $port): array
{
    mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
    $connection = mysqli_init();
    $connection->options(MYSQLI_OPT_CONNECT_TIMEOUT, CONNECT_TIMEOUT_S);
    $connection->options(MYSQLI_OPT_READ_TIMEOUT, CONNECT_TIMEOUT_S);
    try {
        // The @ is for the warning that comes besides the exception.
        @$connection->real_connect(
            $host,
            setting('LB_DB_USER') ?? 'root',
            setting('LB_DB_PASSWORD') ?? '',
            setting('LB_DB_NAME'),
            $port,
        );
        $version = $connection->query('SELECT VERSION()')->fetch_row()[0];
        $connection->close();
    } catch (mysqli_sql_exception $error) {
        return explain($error->getCode(), $error->getMessage());
    }
    return outcome('ok', "MySQL answers: server version $version.", '');
}

/** Turns an error of the client library into an outcome. Its 2002 covers everything below MySQL; the text tells. */
function explain(int $number, string $text): array
{
    $message = "$text (error $number)";
    return match (true) {
        $number === ER_ACCESS_DENIED, $number === ER_ACCESS_DENIED_NO_PASSWORD => outcome(
            'wrong-password',
            $message,
            'MySQL was reached and refused the user name or the password: compare LB_DB_USER and LB_DB_PASSWORD with the'
            . ' account in MySQL.',
        ),
        $number === ER_HOST_NOT_PRIVILEGED => outcome(
            'host-not-allowed',
            $message,
            "MySQL was reached and has no account for this web server's address: create the account for host '%'.",
        ),
        $number === ER_BAD_DB => outcome(
            'unknown-database',
            $message,
            'The login is right; MySQL has no database with the name in LB_DB_NAME: create it, or correct the name.',
        ),
        $number === ER_DBACCESS_DENIED => outcome(
            'no-access',
            $message,
            'The login is right; this user may not use the database in LB_DB_NAME: misspelt name, or a missing GRANT.',
        ),
        $number === CR_CONNECTION_ERROR && str_contains($text, 'getaddrinfo') => outcome(
            'unknown-host',
            $message,
            'The name in LB_DB_HOST has no address: misspelt, or the database container is not running.',
        ),
        $number === CR_CONNECTION_ERROR && str_contains($text, 'refused') => outcome(
            'refused',
            $message,
            'The machine is there, but nothing listens on this port: MySQL is stopped or still starting, or the port'
            . ' is wrong.',
        ),
        $number === CR_CONNECTION_ERROR && str_contains($text, 'timed out') => outcome(
            'timeout',
            $message,
            sprintf(
                'No answer within %d s: a firewall (on AWS: a security group) drops the packets, or the address is'
                . ' wrong.',
                CONNECT_TIMEOUT_S,
            ),
        ),
        $number === ER_CON_COUNT => outcome(
            'too-many-connections',
            $message,
            'MySQL was reached and takes no more connections: close what is idle, or raise max_connections.',
        ),
        $number === CR_NOT_IMPLEMENTED => outcome(
            'other',
            $message,
            'MySQL was reached; this user does not log in with a password (a wrong user name may look like this too).',
        ),
        $number < 2000 => outcome('other', $message, 'MySQL was reached and answered with this error.'),
        default => outcome('other', $message, 'Something answered, but not as MySQL does: is the port right?'),
    };
}

function outcome(string $outcome, string $message, string $cause): array
{
    return ['outcome' => $outcome, 'message' => $message, 'cause' => $cause];
}
