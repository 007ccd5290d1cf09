"""Other servers that send on what one client says, as their documentation writes it: what to compare with."""
