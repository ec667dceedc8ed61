"""Decision -> target: health, life cycle, and which target is next. Pure."""
