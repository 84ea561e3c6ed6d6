"""The cloud of PortTrack: takes what gateways send, keeps it, and shows the port live.

One program, three roles (``store``, ``track``, ``api``) that may run in one process or in many. They meet over the bus
and the two stores, never by shared memory that another role would have to trust.
"""
