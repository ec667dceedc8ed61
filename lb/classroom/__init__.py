"""Where lessons happen: prepares them on a running balancer, watches how far the learner is, and clears up."""
