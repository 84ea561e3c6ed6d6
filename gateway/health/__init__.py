"""What the gateway knows about itself: the live status, and the changes of health that become records."""
