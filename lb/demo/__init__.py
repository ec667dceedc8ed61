"""What `lb demo` ships: its configuration file."""
