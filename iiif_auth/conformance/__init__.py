"""Judges any server of IIIF Auth from outside, as a viewer and a browser would meet it.

Nothing here knows Django or the rest of this app, so that other people's servers are judged by the same measure as ours.
"""
