"""What is asked before one thing is done to many: a form for each deed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import bulk, roles
from iiif_auth.admin import people
from iiif_auth.forms import LanguageMapFormField
from iiif_auth.models import AccessPolicy, Collection, Embargo, Network

EMPTY_POLICY = _("None: only what the collection says")


def day_field(**kwargs: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(**{"widget": widget, "required": False, **kwargs})


def first_moment(day: date | None) -> str:
    """The midnight at which a day begins, where the site is, for a plan; empty for no day."""
    return "" if day is None else timezone.make_aware(datetime.combine(day, time())).isoformat()


def last_moment(day: date | None) -> str:
    """The midnight at which a day is over."""
    return "" if day is None else first_moment(day + timedelta(days=1))


class DeedForm(forms.Form):
    """The answers that make a deed. ``reason`` goes into the history."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For your colleagues; readers do not see it."),
    )

    def __init__(self, data: Any = None, *, user: Any, rows: QuerySet[Any]) -> None:
        super().__init__(data)
        self.user, self.rows = user, rows
        self.order_fields([name for name in self.fields if name != "reason"] + ["reason"])
        for name in ("policy", "then_policy"):
            if name in self.fields:
                field: Any = self.fields[name]
                field.queryset = roles.visible(user, AccessPolicy.objects.filter(is_template=False))

    def deed(self) -> bulk.Deed:
        """What the answers ask for; they must be sound."""
        raise NotImplementedError

    def words(self) -> list[tuple[str, str]]:
        """The answers, label and text, for reading them over."""
        return [(str(self.fields[name].label), said(self.fields[name], value)) for name, value in self._given()]

    def _given(self) -> list[tuple[str, Any]]:
        given = ((name, self.cleaned_data.get(name)) for name in self.fields)
        return [(name, value) for name, value in given if value not in (None, "", {}, [], False)]


def said(field: forms.Field, value: Any) -> str:
    if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        return str(dict(field.choices)[value])  # type: ignore[arg-type]
    if isinstance(value, dict):
        return " / ".join(" ".join(texts) for texts in value.values())
    if isinstance(value, date):
        return value.isoformat()
    return gettext("yes") if value is True else str(value)


class SetPolicyForm(DeedForm):
    policy = forms.ModelChoiceField(AccessPolicy.objects.none(), label=_("Policy"))
    only_without = forms.ChoiceField(
        label=_("Those that have a policy of their own"),
        choices=[("", _("get this one instead")), ("yes", _("keep theirs: only those without one get it"))],
        widget=forms.RadioSelect,
        required=False,
    )

    def deed(self) -> bulk.Deed:
        given = self.cleaned_data
        return bulk.SetPolicy(given["policy"].pk, bool(given["only_without"]), may_loosen(self.user))


class RemovePolicyForm(DeedForm):
    def deed(self) -> bulk.Deed:
        return bulk.SetPolicy(None, loosens=may_loosen(self.user))


def may_loosen(user: Any) -> bool:
    return bool(user.has_perm("iiif_auth.loosen_policy"))


class EmbargoForm(DeedForm):
    ends = day_field(
        label=_("Opens on"),
        help_text=_("Open from the first minute of this day, where this site is. Empty: closed until you say."),
    )
    then_policy = forms.ModelChoiceField(
        AccessPolicy.objects.none(),
        label=_("Then the policy"),
        required=False,
        empty_label=_("What governs it anyway"),
    )
    starts = day_field(label=_("From"), help_text=_("Empty: from now on."))
    closes = forms.ChoiceField(label=_("Closes"), choices=Embargo.Closes.choices, initial=Embargo.Closes.ALL)
    hard = forms.BooleanField(label=_("No exceptions: grants do not open it either"), required=False)
    present = forms.ChoiceField(
        label=_("Those that are under an embargo already"),
        choices=[
            ("leave", _("are left as they are")),
            ("add", _("get this one besides")),
            ("replace", _("get this one instead")),
        ],
        initial="leave",
        widget=forms.RadioSelect,
    )
    note = LanguageMapFormField(label=_("What people are told"), required=False, lines=4)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        starts, ends = given.get("starts"), given.get("ends")
        if starts and ends and starts >= ends:
            self.add_error("ends", _("The end must come after the beginning."))
        if ends and ends <= timezone.localdate():
            self.add_error("ends", _("This day has come already; please choose a later one."))
        if given.get("then_policy") and not ends and "ends" not in self.errors:
            self.add_error("ends", _("A policy for afterwards needs a day on which it begins."))
        return given

    def deed(self) -> bulk.Deed:
        given = self.cleaned_data
        then = given["then_policy"]
        return bulk.Close(
            starts=first_moment(given["starts"]),
            ends=first_moment(given["ends"]),
            closes=given["closes"],
            hard=given["hard"],
            then_policy=then.pk if then else None,
            note=given["note"] or {},
            reason=given["reason"],
            present=given["present"],
        )


class LiftForm(DeedForm):
    def deed(self) -> bulk.Deed:
        return bulk.Lift()


class ForWhom(DeedForm):
    user_named = people.picked("user", required=False, label=_("Person"))
    group_named = people.picked("group", required=False, label=_("Group"))

    def _keys(self) -> dict[str, Any]:
        person, group = self.cleaned_data["user_named"], self.cleaned_data["group_named"]
        key = person.pk if person else None
        return {
            "user": key if key is None or isinstance(key, int) else str(key),
            "group": group.pk if group else None,
        }


class GrantForm(ForWhom):
    network = forms.ModelChoiceField(Network.objects.all(), label=_("Network"), required=False)
    ends = day_field(
        label=_("Last day"), help_text=_("They have access until this day is over. Empty: without an end.")
    )
    tier = forms.CharField(
        label=_("Tier"),
        max_length=40,
        required=False,
        help_text=_("The identifier of the tier they may have; empty for the full version."),
    )
    take = forms.BooleanField(label=_("May keep a copy"), required=False, initial=True)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = [name for name in ("user_named", "group_named", "network") if given.get(name)]
        if len(chosen) != 1 and not self.errors:
            self.add_error("user_named", _("Please say for whom: one person, one group or one network."))
        if given.get("ends") and given["ends"] < timezone.localdate():
            self.add_error("ends", _("This day is over already; please choose a later one."))
        elif sentence := self._too_long(given.get("ends")):
            self.add_error("ends", sentence)
        return given

    def _too_long(self, last: date | None) -> str:
        """Why it lasts longer than this person may give somewhere among the rows; empty if it does not."""
        if roles.is_everywhere(self.user):
            return ""
        limits = [roles.most_days(self.user, row) for row in one_of_each_place(self.rows)]
        days = min((limit for limit in limits if limit is not None), default=None)
        if days is None or (last is not None and last <= timezone.localdate() + timedelta(days=days)):
            return ""
        text = gettext("You may give access for %(days)d days at most to all of these; please choose an earlier day.")
        return text % {"days": days}

    def deed(self) -> bulk.Deed:
        given, key = self.cleaned_data, self.user.pk
        return bulk.Give(
            **self._keys(),
            network=given["network"].pk if given["network"] else None,
            tier=given["tier"],
            take=given["take"],
            ends=last_moment(given["ends"]),
            reason=given["reason"],
            granted_by=key if isinstance(key, int) else str(key),
        )


def one_of_each_place(rows: QuerySet[Any]) -> list[Any]:
    """One row of each collection; limits are those of a place."""
    if rows.model is Collection:
        return list(rows[:1000])
    found: dict[Any, Any] = {}
    keys = rows.order_by().values_list("collection", flat=True).distinct()
    for key in keys:
        found[key] = rows.filter(collection=key).first()
    return [row for row in found.values() if row is not None]


class EndGrantsForm(ForWhom):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user_named"].help_text = _("Empty, and no group: everybody's grants at these rows end.")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("user_named") and given.get("group_named"):
            self.add_error("group_named", _("Please name either a person or a group."))
        return given

    def deed(self) -> bulk.Deed:
        return bulk.EndGrants(**self._keys())


TEMPLATES: dict[str, Any] = {
    "review": _("This item has been taken down while we look into a concern about it. Please ask us if you need it."),
    "rights": _("This item has been taken down at the request of a holder of rights in it."),
    "privacy": _("This item has been taken down to protect personal data."),
    "community": _("This item has been taken down at the request of the community that it belongs to."),
}
"""What readers are told of a withdrawal, by the name under which it is chosen."""


def in_every_language(text: Any) -> dict[str, list[str]]:
    """A text of our own as a language map, in the languages of this site that it is translated to."""
    found: dict[str, list[str]] = {}
    for code in dict.fromkeys(["en", *(code for code, _name in settings.LANGUAGES)]):
        with translation.override(code):
            if str(text) not in (given[0] for given in found.values()):
                found[code] = [str(text)]
    return found


class WithdrawForm(DeedForm):
    """In effect at once, so that it asks for what will be asked later: why, on whose word, and when to look again."""

    reference = forms.CharField(
        label=_("Reference"),
        max_length=200,
        help_text=_("Of the letter or the case, or the name of whoever asked for it."),
    )
    review_on = day_field(label=_("To be reviewed on"), required=True, help_text=_("A reminder; it restores nothing."))
    text = forms.ChoiceField(
        label=_("What people are told"),
        choices=[*TEMPLATES.items(), ("own", _("What I write below"))],
        initial="review",
        widget=forms.RadioSelect,
    )
    note = LanguageMapFormField(label=_("In your own words"), required=False, lines=4)

    def clean_review_on(self) -> date:
        day: date = self.cleaned_data["review_on"]
        if day < timezone.localdate():
            raise ValidationError(_("This day is over already; please choose a later one."))
        return day

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("text") == "own" and not given.get("note") and "note" not in self.errors:
            self.add_error("note", _("Please write what people are told, or choose one of the texts above."))
        return given

    def deed(self) -> bulk.Deed:
        given = self.cleaned_data
        note = given["note"] if given["text"] == "own" else in_every_language(TEMPLATES[given["text"]])
        return bulk.Withdraw(given["reason"], given["reference"], given["review_on"].isoformat(), note)


class RestoreForm(DeedForm):
    def deed(self) -> bulk.Deed:
        return bulk.Restore()


class MoveForm(DeedForm):
    collection = people.NamedField(
        label=_("Collection"), required=False, help_text=_("Its identifier, or a part that only one has. Empty: none.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["collection"]
        found = roles.within(self.user, "iiif_auth.change_resource", Collection.objects.all())
        field.find = lambda text: people.named(found, ["slug"], text)

    def clean_collection(self) -> Any:
        found = self.cleaned_data["collection"]
        if found is None and not roles.is_everywhere(self.user):
            raise ValidationError(_("Please choose a collection that you look after."))
        return found

    def deed(self) -> bulk.Deed:
        found = self.cleaned_data["collection"]
        return bulk.Move(found.pk if found else None)


class RemoveForm(DeedForm):
    def deed(self) -> bulk.Deed:
        return bulk.Remove()
