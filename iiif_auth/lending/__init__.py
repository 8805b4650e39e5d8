"""Copies that are lent: borrowing one, giving it back, waiting for one, and ending loans at the desk.

``policy`` only asks whether somebody holds a copy (:class:`iiif_auth.policy.types.Seat`). Here it is seen to that no more are
held than there are: whatever changes who holds one, or who waits, first takes hold of the row of the work (:mod:`counter`).
"""
