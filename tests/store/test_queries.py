"""How many questions each kind of request puts to the database (security 3.5). More rows are not more questions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from iiif_auth import identify, passes, store, twins
from iiif_auth.enforce import guard
from iiif_auth.http.links import links
from iiif_auth.models import Grant, Rendition
from iiif_auth.policy.types import Allowed, Denied
from tests import factories
from tests.store.test_addresses import instead_of, members

pytestmark = pytest.mark.django_db

CHART = "/iiif/3/chart"
ORIGIN = "https://viewer.example.org"


@pytest.fixture
def library(settings):
    """A chart with as much to it as there will ever be; the secrets of a reader's cookie and token."""
    settings.ROOT_URLCONF = "tests.http.urls"
    login, sorry = factories.AccessServiceFactory(slug="login"), factories.ResourceFactory(url="/iiif/3/sorry")
    rules = members(200, 400, 800)
    rules.tiers.get(slug="full").services.add(login)
    instead_of(rules, substitute=sorry)
    shelf = factories.CollectionFactory(policy=rules, parent=factories.CollectionFactory())
    chart = factories.ResourceFactory(url=CHART, collection=shelf)
    Rendition.objects.bulk_create(
        Rendition(resource=chart, url=f"/files/{number}.jpg", tier=f"p{number}") for number in range(50)
    )
    Grant.objects.bulk_create(Grant(user=factories.UserFactory(), resource=chart) for _ in range(200))
    user = factories.UserFactory()
    user.groups.set([factories.GroupFactory() for _ in range(50)])
    return cookie_and_token(user, login)


def cookie_and_token(user, login):
    secrets = identify.new_secret(), identify.new_secret()
    now = timezone.now()
    holder = factories.PassFactory(
        user=user, credential=store.credential_mark(user.password), digest=identify.digest(secrets[0])
    )
    factories.AgreementFactory(holder=holder, service=login, origin=ORIGIN)
    factories.TokenFactory(
        holder=holder, digest=identify.digest(secrets[1]), dialect="2", ends=now + timedelta(hours=1)
    )
    return secrets


def asking(cookie=None):
    headers = {"HTTP_COOKIE": f"{identify.COOKIE}={cookie}"} if cookie else {}
    return RequestFactory().get("/", **headers)


def probe(token=None):
    headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
    path = links().probe(CHART).removeprefix("https://iiif.example.org")
    return Client().get(path, **headers).json()["status"]


def afresh():
    """As after a change that has nothing to do with us: the offers are forgotten, the rules are not."""
    store.offers.shelves.clear()


@pytest.fixture
def costs(django_assert_num_queries):
    """That something holds, and takes one question, or two after a change."""

    def cost(ask):
        store.find_offer(CHART)
        for forget, count in ((afresh, 2), (lambda: None, 1)):
            forget()
            with django_assert_num_queries(count):
                assert ask()

    return cost


def test_content_costs_one(library, costs):
    """Pass, groups, agreements and epoch in one statement: it is asked for each tile."""
    cookie, _token = library
    costs(lambda: isinstance(guard.judged(asking(cookie), CHART), Allowed))


def test_content_without_a_cookie_costs_one(library, costs):
    costs(lambda: isinstance(guard.judged(asking(), CHART), Denied))


@pytest.mark.parametrize("cookie", ["nonsense", "a" * 43])
def test_a_cookie_that_is_none_of_ours_costs_no_more(library, django_assert_num_queries, cookie):
    store.find_offer(CHART)
    with django_assert_num_queries(1):
        assert isinstance(guard.judged(asking(cookie), CHART), Denied)


def test_the_first_content_after_a_change_costs_two(library, django_assert_num_queries):
    cookie, _token = library
    store.find_offer(CHART)
    factories.ResourceFactory()
    with django_assert_num_queries(2):
        guard.judged(asking(cookie), CHART)


def test_a_probe_with_a_token_costs_one(library, costs):
    _cookie, token = library
    costs(lambda: probe(token) == 200)


def test_a_probe_of_nobody_costs_one(library, costs):
    costs(lambda: probe() == 401)


def test_a_token_costs_eight_of_which_four_write(library, django_assert_num_queries):
    """The rules' stamp, the pass; in a transaction (two): prolong the pass, store if it holds, end the surplus, a twin."""
    cookie, _token = library
    browser = Client(headers={"Sec-Fetch-Dest": "iframe", "Referer": f"{ORIGIN}/"})
    browser.cookies[identify.COOKIE] = cookie
    path = links().token("login").removeprefix("https://iiif.example.org")
    store.rulebook()
    with django_assert_num_queries(8) as asked:
        response = browser.get(path, {"messageId": "1", "origin": ORIGIN})
    assert "accessToken" in response.content.decode()
    assert [query["sql"].split()[0] for query in asked.captured_queries] == [
        *("SELECT", "SELECT", "SAVEPOINT", "UPDATE", "INSERT", "DELETE", "INSERT", "RELEASE")
    ]


def test_a_token_by_a_twin_costs_seven_since_none_need_be_given(library, django_assert_num_queries):
    cookie, _token = library
    secret = identify.new_secret()
    twins.note(secret, store.find_pass(identify.digest(cookie)).id, ORIGIN, timezone.now())
    browser = Client(headers={"Sec-Fetch-Dest": "iframe"})
    browser.cookies[identify.TWIN] = secret
    path = links().token("login").removeprefix("https://iiif.example.org")
    store.rulebook()
    with django_assert_num_queries(7):
        response = browser.get(path, {"messageId": "1", "origin": ORIGIN})
    assert "accessToken" in response.content.decode()


def test_content_by_a_twin_costs_one(library, costs):
    cookie, _token = library
    secret = identify.new_secret()
    twins.note(secret, store.find_pass(identify.digest(cookie)).id, ORIGIN, timezone.now())
    request = RequestFactory().get("/", HTTP_COOKIE=f"{identify.TWIN}={secret}")
    costs(lambda: isinstance(guard.judged(request, CHART), Allowed))


def test_a_description_costs_one(library, django_assert_num_queries):
    store.find_offer(CHART)
    for forget in (afresh, lambda: None):
        forget()
        with django_assert_num_queries(1):
            assert Client().get(f"{CHART}/info.json").status_code == 200


def test_rules_that_are_known_cost_one(library, django_assert_num_queries):
    store.rulebook()
    with django_assert_num_queries(1):
        store.rulebook()


def more_rules():
    row = factories.TierFactory(services=[factories.AccessServiceFactory()])
    whom = {
        "user": factories.UserFactory(),
        "group": factories.GroupFactory(),
        "network": factories.NetworkFactory(),
        "service": factories.AccessServiceFactory(),
    }
    shelf = factories.CollectionFactory(policy=row.policy)
    for name, principal in whom.items():
        kind = "agreed" if name == "service" else name
        factories.ConditionFactory(tier=row, kind=kind, **{name: principal})
        for scope in ({"policy": row.policy}, {"collection": shelf}):
            factories.GrantFactory(**{"resource": None, "user": None, name: principal, **scope})
    factories.RefusalTextFactory(policy=row.policy)
    factories.EmbargoFactory(resource=None, collection=shelf)
    factories.WithdrawalFactory(resource=None, collection=shelf)
    factories.CollectionRuleFactory(collection=shelf)


def test_reading_the_rules_costs_the_same_however_many_there_are(library, django_assert_num_queries):
    """One for each table, and the stamp before and after."""
    for count in (1, 20):
        for _ in range(count):
            more_rules()
        store.rules.books.clear()
        with django_assert_num_queries(18):
            store.rulebook()


def test_the_surplus_of_tokens_is_ended(library):
    cookie, token = library
    facts = store.find_pass(identify.digest(cookie))
    service = store.rulebook().services["login"]
    drawn = [passes.mint(service, "2", ORIGIN, facts)[0] for _ in range(passes.MOST_TOKENS + 3)]
    alive = [secret for secret in (token, *drawn) if store.find_token(identify.digest(secret)) is not None]
    assert alive == drawn[-passes.MOST_TOKENS :]
