"""What the gateway knows of the true time: when a boot first knew it, and the last time that is sure to be past."""
