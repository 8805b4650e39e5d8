"""What identity providers say of people: one form for it, whom it is believed from, and where it is kept."""
