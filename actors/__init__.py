"""The actors of a chat, and the runtime below them."""
