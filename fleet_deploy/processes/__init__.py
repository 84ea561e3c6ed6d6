"""Child processes: started so that none outlives its parent, restarted with backoff, stopped in a bounded time."""
