"""The AWS wire protocols as pure functions over botocore's service models: query, EC2's variant of it, and JSON."""
