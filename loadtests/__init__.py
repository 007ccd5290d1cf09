"""Load tests: clients that know the wire and nothing else of the server."""
