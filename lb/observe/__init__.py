"""What can be seen of the balancer: logs, metrics and status."""
