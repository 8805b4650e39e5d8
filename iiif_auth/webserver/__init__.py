"""Configurations of web servers that keep a promise: printed for nginx and Caddy, and checked when somebody wrote them by hand.

The promise is in the decision; here are the many small ways in which a web server breaks it (security 2.6).
"""
