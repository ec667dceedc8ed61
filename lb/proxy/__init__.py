"""The data plane: one node of the balancer. Carries bytes and waits; what to do is decided below it.

The steady path (a keep-alive client, an idle connection to the target) is callbacks only: no task, future or timer.
"""
