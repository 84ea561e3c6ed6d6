"""Driver processes: started, adopted, watched by their heartbeats, restarted; and the socket they hand over on."""
