"""What the IIIF specifications say, as tables and pure functions. Imports policy and the standard library only."""
