"""What the versions before 2.0.0 share: descriptions that are asked themselves, and token services that speak JSON too."""
