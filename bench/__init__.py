"""Side-by-side benchmarks: the balancer and other reverse proxies before the same origin servers, on loopback only."""
