"""The catalogues of translations: collected from the sources, filled, judged and compiled.

``python -m tests.translations --help`` lists the commands; ``iiif_auth/locale/README.md`` tells translators how to go about it.
"""
