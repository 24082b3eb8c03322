"""Worker pools: where the chunks of a sweep are computed, and how many processes there are."""
