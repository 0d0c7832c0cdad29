"""Which policy is in force, how another one is proposed, and how the one in force is tried on the past."""
