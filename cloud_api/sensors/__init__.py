"""Fixed sensors: the last value of each, with its age and clock."""
