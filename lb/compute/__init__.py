"""What stands behind the balancer: embedded web servers as processes of their own, and their database check."""
