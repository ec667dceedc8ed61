"""A software Application Load Balancer: ELB's behaviour on a laptop."""

__version__ = "0.1.0"
