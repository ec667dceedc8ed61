<?php
/*
 * What the balancer's health check asks: 200, or 503 after `?set=down`, until `?set=up`.
 * Each server keeps its own answer, in a file, so that it outlives a restart of the server.
 */
declare(strict_types=1);

require __DIR__ . '/../include/page.php';

$switch = (setting('WEB_STATE_DIR') ?? '/var/lib/web-server') . '/down';

$done = match ($_GET['set'] ?? null) {
    null => true,
    'down' => touch($switch),
    'up' => !file_exists($switch) || unlink($switch),
    default => send_page(
        400,
        'What is asked is not clear',
        '<p><code>set</code> must be <code>down</code> or <code>up</code>.</p>',
    ),
};
if (!$done) {
    send_page(500, 'The switch is stuck', sprintf('<p>%s cannot be written.</p>', escape($switch)));
}

// PHP remembers for the length of one request whether a file exists.
clearstatcache();
$down = file_exists($switch);
send_page($down ? 503 : 200, $down ? 'Down' : 'Up', <<<'HTML'
    <p>The balancer's health check asks for this page. It answers 200 while this server is up; switched down, 503.
    Only the server that answers is switched:</p>
    <ul>
    <li><a href="/health.php?set=down">/health.php?set=down</a> - from now on 503</li>
    <li><a href="/health.php?set=up">/health.php?set=up</a> - 200 again</li>
    </ul>
    <p>Through the balancer it is the server whose turn it is. To choose one:
    <code>docker compose exec web1 health down</code> and <code>docker compose exec web1 health up</code>.</p>
    HTML);
