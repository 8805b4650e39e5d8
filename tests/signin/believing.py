"""Has a demo believe the identity providers: ``python -m tests.signin.believing``, beside it and with the same ``DATABASE_URL``.

On standard input: by name of :mod:`tests.signin.providers`, the issuer. Staff of each get the portrait album, by one grant each.
"""

from __future__ import annotations

import json
import sys

POLICY_OF = "merehaven-album"


def main() -> None:
    import django

    django.setup()
    from iiif_auth.models import Collection
    from tests import factories
    from tests.signin.providers import SCOPE

    album = Collection.objects.get(slug=POLICY_OF)
    for name, issuer in json.load(sys.stdin).items():
        factories.IdentityProviderFactory(name=name, issuer=issuer, scopes=[SCOPE[name]], attributes=["affiliation"])
        asked = {"attribute_name": "affiliation", "attribute_value": f"staff@{SCOPE[name]}"}
        factories.GrantFactory(user=None, resource=None, collection=album, reason="Staff may read it.", **asked)


if __name__ == "__main__":
    main()
