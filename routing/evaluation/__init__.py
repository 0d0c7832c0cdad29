"""Why a case is in its lane: gates, rules, checks and autonomy looked at in one order, and the route that comes of it."""
