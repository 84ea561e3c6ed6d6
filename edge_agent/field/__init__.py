"""What a technician uses on the quay: finding out what a port says, playing a recording as if it were the hardware."""
