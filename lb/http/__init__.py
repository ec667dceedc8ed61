"""HTTP/1 messages as bytes: heads, bodies, headers added and taken away, and the answers the balancer makes itself."""
