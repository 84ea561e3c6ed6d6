"""Caps of the wire, each with its reason. Both ends check them; neither trusts the other."""

MAX_BATCH_RECORDS = 500
"""Records a batch: 3 s of the busiest national AIS feed (150/s); one SQLite transaction of a few ms."""

MAX_BATCH_BYTES = 256 * 1024
"""Compressed batch: a quarter of the broker's 1 MiB message limit; 20 s of a 100 kbit/s link."""

MAX_DECODED_BYTES = 4 * 1024 * 1024
"""Batch after decompression: 500 records of 8 KiB. What claims or yields more is a decompression bomb."""

MAX_MESSAGE_BYTES = 64 * 1024
"""Any other message (receipt, status, command, result), uncompressed JSON."""

MAX_RECORD_BYTES = 8 * 1024
"""One record as JSON: the longest AIS message with its raw sentences is below 2 KiB."""

MAX_BUFFERED_RANGES = 32
"""Ranges a stream in a status: a backlog being drained beside live data is two or three and what is in flight; five
streams of 32 ranges are 4 KiB of the 64."""
