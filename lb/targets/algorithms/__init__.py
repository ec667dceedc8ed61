"""One file an algorithm of `load_balancing.algorithm.type`."""
