"""The health checker: one schedule for all targets, and the probes that it sends."""
