"""Hostile requests against everything that delivers content, with a canary in each thing that is protected.

::

    python -m tests.security.hostile --count 1000000 --seed 1
    python -m tests.security.hostile --twins
"""
