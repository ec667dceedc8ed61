"""A balancer's configuration as a CloudFormation template, Terraform configuration or AWS CLI script, and back from AWS."""
