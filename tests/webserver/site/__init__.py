"""A small library that is served by every kind of server: what stands behind the stacks of :mod:`tests.webserver.stack`."""
