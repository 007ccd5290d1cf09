"""The edge: pages, sockets, health. Translates frames to actor messages and decides nothing."""
