"""Messages about more than one case."""
