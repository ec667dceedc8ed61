"""What can be seen of the balancer: access log and status."""
