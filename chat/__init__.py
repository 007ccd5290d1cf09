"""What chat is: the wire, the log, the rules. Knows neither actors nor sockets; `chat.main` alone puts all together."""
