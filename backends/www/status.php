<?php
/*
 * Answers with the status in `?code=`: to see how the balancer passes it on and how it counts.
 * 1xx is left out: such answers are not final, and the client would wait for the real one.
 */
declare(strict_types=1);

require __DIR__ . '/../include/page.php';

$code = integer_parameter('code', 200, 599);
// A status that Apache has no words for (418, 299) would otherwise become 500.
send_page($code, "Status $code", '<p>As you asked.</p>', 'As asked');
