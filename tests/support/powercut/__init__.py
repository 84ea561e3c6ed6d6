"""Power cuts at the layer of file calls: record what a real process does to its files, then cut at any point of it."""
