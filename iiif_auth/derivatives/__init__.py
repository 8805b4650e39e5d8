"""Smaller versions as files of their own, made from originals: what a tier that shows less is really served from.

A file that holds no more than its tier may see can not leak more, whatever a server in front of it does (security I1, I3). The
command ``iiif_derivatives`` is the only user; pictures need libvips, films and sound recordings need FFmpeg, and neither is
imported or looked for before it is needed.
"""
