"""The twelve lectures as questions: a number to guess, the command that computes it, and why it is that number."""
