"""What the AWS APIs keep: records, changes to them, and what they mean to the balancer. Pure."""
