"""What a training step costs: its gradients, what it keeps for them, and the most it holds at once."""
