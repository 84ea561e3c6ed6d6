"""Fleet registry: which gateways there are, when each was last heard and what it said."""
