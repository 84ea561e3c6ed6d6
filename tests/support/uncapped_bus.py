"""``python -m cloud_api`` without its protection: whatever the broker sends is taken at once, and waits in memory.

For the proof that the memory test would see a bus without caps. Takes the arguments of ``cloud_api``.
"""

import sys

from cloud_api.__main__ import main
from cloud_api.bus import mqtt_link, nats_session

MANY = 65_535
MUCH = 2**40

if __name__ == "__main__":
    nats_session.PENDING_MESSAGES, nats_session.PENDING_BYTES = MANY, MUCH
    mqtt_link.RECEIVE_MAXIMUM = mqtt_link.PENDING_MESSAGES = MANY
    mqtt_link.PENDING_BYTES = MUCH
    sys.exit(main(sys.argv[1:]))
