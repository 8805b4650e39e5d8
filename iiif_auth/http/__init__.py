"""What talks to browsers and viewers."""
