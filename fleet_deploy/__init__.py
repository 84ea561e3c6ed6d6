"""The operator's tools: certificate authority, broker configuration and the demonstration port.

Meets gateways and cloud as files, MQTT and HTTP; imports neither of them, nor the device profiles.
"""
