"""The policy core: who may see what, and why. Standard library only."""
