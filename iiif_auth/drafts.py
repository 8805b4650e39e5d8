"""Drafts: a policy as it might be, kept as JSON, judged without being live, and published in one transaction.

The content of a draft is what the policy said when the draft was begun (``base``) and what it would say (``draft``), so that
whatever was changed in between is seen before it is replaced. People, groups, networks, services and resources are kept by
key and name: if one is gone, the draft says which.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, router, transaction
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from iiif_auth import history, roles
from iiif_auth.contents import (
    OWN,
    Content,
    Linked,
    NotPublished,
    condition_content,
    condition_row,
    given,
    rows_of,
    snapshot,
    value_of,
)
from iiif_auth.models import AccessPolicy, Batch, PolicyDraft, RefusalText, Tier
from iiif_auth.policy import types as policy

PUBLISH = "iiif_auth.publish_policy"


def as_policy(draft: PolicyDraft) -> policy.Policy:
    """What the draft would say, as the value that judges.

    Raises:
        NotPublished: something that it names is gone, or it can not be read.
    """
    return value_of(rows_of(draft.content["draft"], draft.policy))


# -- Making one ---------------------------------------------------------------------------------------------------


def begun(row: AccessPolicy, content: Content, user: Any, reason: str = "") -> PolicyDraft:
    """A new draft in place of a policy."""
    made: PolicyDraft = PolicyDraft.objects.create(
        policy=row, content={"base": snapshot(row), "draft": content}, created_by=user, reason=reason
    )
    return made


def changed_since(draft: PolicyDraft) -> bool:
    """Whether the live policy says something else than when the draft was begun."""
    return bool(snapshot(draft.policy) != draft.content["base"])


def rebased(draft: PolicyDraft) -> None:
    """The draft was compared with what is live now, and is meant to replace it. Does not save it."""
    draft.content = {**draft.content, "base": snapshot(draft.policy)}


def planned(draft: PolicyDraft, user: Any, at: datetime | None, reason: str) -> None:
    """Publish the draft at a time, as this person; ``None``: not by itself."""
    draft.publish_at, draft.reason, draft.failed = at, reason, ""
    draft.content = {**draft.content, "planned_by": str(user.pk) if at else ""}
    draft.save(update_fields=["publish_at", "reason", "failed", "content"])


# -- Publishing ---------------------------------------------------------------------------------------------------


def publish(draft: PolicyDraft, user: Any, reason: str, *, anyway: bool = False) -> Batch:
    """Put a draft in the place of its policy, in one transaction, as a batch that can be undone.

    Args:
        anyway: also if the policy was changed since the draft was begun; what was changed is replaced.

    Raises:
        NotPublished: it was published already, the policy was changed since, or something it names is gone.
    """
    with transaction.atomic(using=router.db_for_write(AccessPolicy)):
        draft = PolicyDraft.objects.select_for_update().get(pk=draft.pk)
        draft.policy = AccessPolicy.objects.select_for_update().get(pk=draft.policy_id)
        check(draft, anyway=anyway)
        batch = history.begun(
            Batch.Kind.PUBLISHED, user, gettext("Published: %(policy)s") % {"policy": draft.policy}, reason
        )
        with history.by(user, reason=reason, batch=batch):
            written(draft.policy, draft.content["draft"])
        history.ended(batch, gettext("The draft of %(policy)s is live.") % {"policy": draft.policy})
        draft.published, draft.failed, draft.reason = timezone.now(), "", reason
        draft.save(update_fields=["published", "failed", "reason"])
    return batch


def check(draft: PolicyDraft, *, anyway: bool = False) -> None:
    """Raise NotPublished if this draft can not be published now."""
    if draft.published is not None:
        raise NotPublished([gettext("It was published already.")])
    if not anyway and changed_since(draft):
        raise NotPublished([gettext("The policy was changed since the draft was begun; please compare them again.")])
    as_policy(draft)


def written(row: AccessPolicy, content: Content) -> None:
    """Store a content as a policy; what is as it was is left alone, so that history tells what changed.

    Raises:
        NotPublished: the rows make no sense together, or something that they name is gone.
    """
    linked = Linked(content)
    try:
        for name, value in content["policy"].items():
            setattr(row, name, value)
        row.full_clean()
        row.save()
        _write_tiers(row, content["tiers"], linked)
        _write_texts(row, content["texts"])
    except ValidationError as error:
        raise NotPublished(error.messages) from error
    except IntegrityError as error:
        raise NotPublished([gettext("Its tiers contradict each other; please edit the draft.")]) from error


def _write_tiers(row: AccessPolicy, wanted: list[Content], linked: Linked) -> None:
    live = {tier.slug: tier for tier in row.tiers.all()}
    for slug in live.keys() - {values["slug"] for values in wanted}:
        live.pop(slug).delete()
    for values in wanted:
        tier = live.get(values["slug"]) or Tier(policy=row)
        substitute = linked.row("substitute", values["substitute"])
        _stored(tier, {**given(Tier, values), "substitute": substitute})
        tier.services.set([linked.row("service", one) for one in values["services"]])
        _write_conditions(tier, values["conditions"], linked)


def _write_conditions(tier: Tier, wanted: list[Content], linked: Linked) -> None:
    related = ("user", "group", "network", "service")
    left = [(_keys(condition_content(one)), one) for one in tier.conditions.select_related(*related)]
    for values in wanted:
        same = next((pair for pair in left if pair[0] == _keys(values)), None)
        if same is not None:
            left.remove(same)
        else:
            made = condition_row(tier, None, values, linked)
            made.full_clean()
            made.save()
    for _same, row in left:
        row.delete()


def _keys(values: Content) -> Content:
    """A condition by what it points at: names of people may have changed since."""
    return {name: one["id"] if isinstance(one, dict) else one for name, one in values.items()}


def _write_texts(row: AccessPolicy, wanted: list[Content]) -> None:
    live = {text.why: text for text in row.texts.all()}
    for why in live.keys() - {values["why"] for values in wanted}:
        live.pop(why).delete()
    for values in wanted:
        _stored(live.get(values["why"]) or RefusalText(policy=row), given(RefusalText, values))


def _stored(row: Any, values: dict[str, Any]) -> None:
    """Save a row that is new, or that says something else than before."""
    if not row._state.adding and all(getattr(row, name) == value for name, value in values.items()):
        return
    for name, value in values.items():
        setattr(row, name, value)
    row.full_clean()
    row.save()


# -- On a page, within a transaction that is rolled back ----------------------------------------------------------


def laid_out(draft: PolicyDraft) -> None:
    """Put a draft into the rows of its policy under keys that are the same each time. Roll the transaction back afterwards.

    Raises:
        NotPublished: something that it names is gone.
    """
    row = rows_of(draft.content["draft"], draft.policy)
    Tier.objects.filter(policy=row.pk).delete()
    RefusalText.objects.filter(policy=row.pk).delete()
    AccessPolicy.objects.filter(pk=row.pk).update(**{name: getattr(row, name) for name in OWN})
    for tier in row.tiers.all():
        services, conditions = list(tier.services.all()), list(tier.conditions.all())
        tier._prefetched_objects_cache = {}  # type: ignore[attr-defined]
        tier.save(force_insert=True)
        tier.services.set(services)
        for condition in conditions:
            condition.save(force_insert=True)
    for text in row.texts.all():
        text.save(force_insert=True)


# -- Daily work ---------------------------------------------------------------------------------------------------


def overdue(now: datetime) -> models.QuerySet[PolicyDraft]:
    """Drafts whose time has come and that are not published."""
    return (
        PolicyDraft.objects.filter(publish_at__lte=now, published=None).select_related("policy").order_by("publish_at")
    )


def would(now: datetime) -> str:
    """How many drafts are due."""
    count = overdue(now).filter(failed="").count()
    return ngettext("%(n)d draft of a policy is due.", "%(n)d drafts of policies are due.", count) % {"n": count}


def due(now: datetime) -> str:
    """Publish the drafts whose time has come. One that can not be published says why, and is left to people."""
    done = [_publish_due(draft) for draft in overdue(now).filter(failed="")]
    said = ngettext("Published %(n)d draft of a policy.", "Published %(n)d drafts of policies.", sum(done))
    failed = gettext(" %(n)d could not be published.") % {"n": len(done) - sum(done)} if not all(done) else ""
    return said % {"n": sum(done)} + failed


def _publish_due(draft: PolicyDraft) -> bool:
    try:
        publish(draft, _planner(draft), draft.reason)
    except NotPublished as error:
        PolicyDraft.objects.filter(pk=draft.pk, published=None).update(failed=str(error))
        return False
    return True


def _planner(draft: PolicyDraft) -> Any:
    """Who planned it, if they may still publish.

    Raises:
        NotPublished: they are gone, or may not any more.
    """
    key = draft.content.get("planned_by") or None
    user = get_user_model()._default_manager.filter(pk=key).first() if key else None
    if user is None or not may_publish(user):
        raise NotPublished(
            [gettext("Whoever planned this may not publish policies any more; please publish it yourself.")]
        )
    return user


def may_publish(user: Any) -> bool:
    return bool(user.is_active and user.has_perm(PUBLISH) and roles.is_everywhere(user))
