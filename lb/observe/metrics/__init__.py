"""ALB's metrics: counted from finished requests, kept for three hours, read as CloudWatch statistics or Prometheus text."""
