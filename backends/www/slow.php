<?php
/*
 * Answers after `?ms=` milliseconds: to see least outstanding requests at work, and the balancer's idle timeout (60 s),
 * which turns a longer wait into 504.
 */
declare(strict_types=1);

require __DIR__ . '/../include/page.php';

/** Beyond the idle timeout, and short enough that forgotten requests do not hold Apache's workers for long. */
const LONGEST_MS = 90_000;

$ms = integer_parameter('ms', 0, LONGEST_MS);
usleep($ms * 1000);
send_page(200, 'Slow', "<p>Waited $ms ms.</p>");
