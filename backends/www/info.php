<?php
/*
 * What this web server knows of the request that reached it: which server, who asked (as Apache sees it and as the
 * balancer tells), and whether the database answers. `?format=json` gives the same to programs.
 */
declare(strict_types=1);

require __DIR__ . '/../include/page.php';
require __DIR__ . '/../include/database.php';

/** Headers that proxies add; everything else in the request is the client's own. */
function forwarded_headers(): array
{
    $is_forwarded = static fn (string $name): bool => (bool) preg_match(
        '/^(x-forwarded-.*|x-amzn-.*|x-real-ip|forwarded|via)$/i',
        $name,
    );
    $found = array_filter(getallheaders(), $is_forwarded, ARRAY_FILTER_USE_KEY);
    ksort($found, SORT_STRING | SORT_FLAG_CASE);
    return $found;
}

$forwarded = forwarded_headers();
$info = [
    'server' => server_name(),
    'host' => gethostname(),
    'server_address' => $_SERVER['SERVER_ADDR'] . ':' . $_SERVER['SERVER_PORT'],
    'client_address' => $_SERVER['REMOTE_ADDR'],
    'x_forwarded_for' => $_SERVER['HTTP_X_FORWARDED_FOR'] ?? null,
    'forwarded_headers' => $forwarded,
    'database' => check_database(),
];

if (($_GET['format'] ?? null) === 'json') {
    header('Content-Type: application/json');
    echo json_encode(
        ['forwarded_headers' => (object) $forwarded] + $info,
        JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR,
    ), "\n";
    exit;
}

$database = $info['database'];
send_page(200, 'Where this request arrived', implode("\n", [
    table([
        'Server' => $info['server'],
        'Host' => $info['host'],
        'Its address' => $info['server_address'],
        'Client address, as Apache sees it' => $info['client_address'],
        'Client address, as X-Forwarded-For tells it' => $info['x_forwarded_for'] ?? '(no such header)',
    ]),
    '<p>Behind a balancer the first is the balancer: it is the one that connected.</p>',
    '<h2>Forwarded headers</h2>',
    $forwarded === [] ? '<p>None: this request did not come through a balancer.</p>' : table($forwarded),
    '<h2>Database</h2>',
    table(array_filter([
        'Outcome' => $database['outcome'],
        'Address' => $database['where'] ?? '',
        'What happened' => $database['message'],
        'Likely cause' => $database['cause'],
        'Time' => isset($database['milliseconds']) ? $database['milliseconds'] . ' ms' : '',
    ])),
]));
