<?php
/*
 * What every page of the demo's web servers shares: which server this is, reading parameters, writing HTML.
 * Lies beside the document root, so that no URL leads here. Whatever came from outside goes through escape().
 */
declare(strict_types=1);

function escape(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE | ENT_HTML5, 'UTF-8');
}

/** The name given to this server (WEB_SERVER_NAME), as index.html shows it. */
function server_name(): string
{
    return setting('WEB_SERVER_NAME') ?? 'Web Server';
}

/** A setting from the environment; null when unset or empty. */
function setting(string $name): ?string
{
    $value = getenv($name);
    return $value === false || $value === '' ? null : $value;
}

/**
 * A whole number from the query string, between $least and $most.
 * A missing or wrong one is answered with 400, naming what is allowed, and ends the page.
 */
function integer_parameter(string $name, int $least, int $most): int
{
    $options = ['options' => ['min_range' => $least, 'max_range' => $most]];
    $value = filter_input(INPUT_GET, $name, FILTER_VALIDATE_INT, $options);
    if (!is_int($value)) {
        $example = sprintf('%s?%s=%d', $_SERVER['SCRIPT_NAME'], $name, min($most, max($least, 500)));
        send_page(400, 'What is asked is not clear', sprintf(
            '<p><code>%s</code> must be a whole number from %d to %d, for example <a href="%s">%s</a>.</p>',
            escape($name),
            $least,
            $most,
            escape($example),
            escape($example),
        ));
    }
    return $value;
}

/**
 * Sends one page with this status and ends. $content is HTML, already escaped.
 * $reason: the words after the status; null for Apache's own, which it has for the usual statuses only.
 */
function send_page(int $status, string $title, string $content, ?string $reason = null): never
{
    http_response_code($status);
    if ($reason !== null) {
        header("HTTP/1.1 $status $reason");
    }
    header('Content-Type: text/html; charset=utf-8');
    printf(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s - %s</title></head>\n"
        . "<body>\n<h1>%s</h1>\n<p>Answered by <b>%s</b></p>\n%s\n</body></html>\n",
        escape($title),
        escape(server_name()),
        escape($title),
        escape(server_name()),
        $content,
    );
    exit;
}

/** Name and value pairs as an HTML table; the values are plain text. */
function table(array $rows): string
{
    $html = '<table>';
    foreach ($rows as $name => $value) {
        $html .= sprintf(
            "\n<tr><th align=\"left\">%s</th><td>%s</td></tr>",
            escape((string) $name),
            escape((string) $value),
        );
    }
    return $html . "\n</table>";
}
