"""Worker pools, which compute the chunks of a sweep, and the number of their processes."""
