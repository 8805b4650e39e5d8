"""Five people's tasks, as scripts that somebody follows by reading and a browser by running.

``python -m tests.guide`` runs them against a fresh demo, takes the pictures and writes ``iiif_auth/admin/guide/``.
"""
