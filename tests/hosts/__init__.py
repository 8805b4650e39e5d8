"""A Django site that none of the demo's code knows: people have an e-mail address and a UUID, and no user name.

It is as unfriendly as real ones are (``hosts.md``): requests are atomic, the REST framework throttles and wants HTML, a CORS app
lets in two sites, a middleware sets a strict policy, and pages come in several languages.
"""
