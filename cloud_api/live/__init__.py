"""The live picture and how it reaches a browser: state, wire encoding, WebSocket hub."""
