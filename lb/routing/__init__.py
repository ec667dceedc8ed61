"""Request head -> decision. Pure: a plan is compiled from configuration and never changes."""
