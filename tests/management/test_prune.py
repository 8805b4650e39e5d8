from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from iiif_auth.models import Agreement, Pass, Token
from tests import factories

pytestmark = pytest.mark.django_db


def pruned():
    said = StringIO()
    call_command("iiif_auth_prune", stdout=said)
    return said.getvalue()


def ended(ago, **values):
    """A pass that ended so long ago, with an agreement."""
    end = timezone.now() - ago
    holder = factories.PassFactory(created=end - timedelta(hours=12), ends=end, **values)
    factories.AgreementFactory(holder=holder)
    return holder


def test_with_nothing_to_do_it_says_so():
    assert pruned() == "Deleted 0 tokens that had ended and 0 passes that ended over a week ago.\n"


def test_what_has_ended_is_deleted_and_what_has_not_is_kept():
    long_ago, lately, now = ended(timedelta(days=8)), ended(timedelta(days=6)), ended(timedelta(days=-1))
    for holder in (long_ago, lately, now, now):
        factories.TokenFactory(holder=holder, created=timezone.now() - timedelta(days=9), ends=holder.ends)
    factories.TokenFactory(holder=now, ends=timezone.now() - timedelta(seconds=1))
    assert pruned() == "Deleted 3 tokens that had ended and 1 pass that ended over a week ago.\n"
    assert set(Pass.objects.all()) == {lately, now}
    assert {token.holder for token in Token.objects.all()} == {now}
    assert Agreement.objects.count() == 2


def test_a_pass_of_which_nothing_is_left_but_tokens_takes_them_along():
    holder = ended(timedelta(days=30))
    factories.TokenFactory(holder=holder, ends=timezone.now() + timedelta(days=1))
    assert pruned() == "Deleted 1 token that had ended and 1 pass that ended over a week ago.\n"
    assert not Token.objects.exists()
