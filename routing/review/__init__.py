"""What can happen to a case: one pure function per verb, each from what is known to a `Change` or a `Refused`."""
