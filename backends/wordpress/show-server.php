<?php
/*
 * Plugin Name: Which web server answered
 * Description: Names the server below every page, so that the load balancer is seen at work.
 */
declare(strict_types=1);

foreach (['wp_footer', 'login_footer', 'admin_footer'] as $place) {
    add_action($place, static function (): void {
        printf(
            '<p id="web-server" style="position: fixed; inset: auto 0 0 auto; z-index: 99999; margin: 0; padding: 4px 12px;'
            . ' background: #1d2327; color: #fff; font: 14px/1.5 sans-serif">%s</p>',
            esc_html((string) getenv('WEB_SERVER_NAME')),
        );
    });
}
