"""The Centrifugo client protocol, JSON: the only place that knows its field names.

Source: the protocol's schema (client.proto of centrifugal/protocol) and what its SDKs send. `web/PROTOCOL.md`
documents the part that is offered. `chat/schema.py` makes a JSON Schema of the types here; its readers get to see
their docstrings.
"""
