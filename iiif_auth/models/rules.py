"""Rules that many resources share: policies with their tiers, access services, networks, collections."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from iiif_auth.models.fields import DialectListField, LanguageMapField, OriginListField, PatternField, PrefixListField
from iiif_auth.models.naming import NaturalManager, check_zone, shown, slug_validator

MONTH_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


def check_month_day(value: str) -> None:
    """Raise ``ValidationError`` unless this is a day of the year as MM-DD."""
    if not MONTH_DAY.fullmatch(value) or value in ("02-30", "02-31", "04-31", "06-31", "09-31", "11-31"):
        raise ValidationError(
            _("“%(day)s” is not a day of the year; write it as MM-DD, such as 11-01.") % {"day": value}
        )


class Network(models.Model):
    """A named place on the network: a list of IPv4 and IPv6 prefixes."""

    slug = models.CharField(_("identifier"), max_length=80, unique=True, validators=[slug_validator])
    name = models.CharField(_("name"), max_length=200)
    prefixes = PrefixListField(
        _("networks"),
        help_text=_("One to a line, such as 192.0.2.0/24 or 2001:db8:1::/64. A single address is fine too."),
    )

    objects = NaturalManager()
    natural_fields = ("slug",)

    class Meta:
        verbose_name = _("network")
        verbose_name_plural = _("networks")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.slug,)


class AccessService(models.Model):
    """One way to get in: sign in, agree to something, sit at a kiosk, or be somewhere."""

    class Pattern(models.TextChoices):
        LOGIN = "login", _("Sign in")
        CLICKTHROUGH = "clickthrough", _("Agree to terms")
        KIOSK = "kiosk", _("Kiosk: let in by where the machine stands, with nothing to click")
        EXTERNAL = "external", _("External: recognised by address, with nothing to open")

    class OriginRule(models.TextChoices):
        CONFIRMED = "confirmed", _("Any viewer that the person confirms by name")
        OPEN = "open", _("Any viewer, without asking")
        LISTED = "listed", _("Only the viewers listed")

    class Clients(models.TextChoices):
        ANY = "any", _("Viewers do not say who they are")
        KNOWN = "known", _("Registered viewers may say who they are")
        ONLY = "only", _("Only registered viewers get in")

    slug = models.CharField(_("identifier"), max_length=80, unique=True, validators=[slug_validator])
    pattern = models.CharField(_("kind"), max_length=12, choices=Pattern.choices)
    label = LanguageMapField(_("label"), help_text=_("Names your institution, such as “Log in to Merehaven Library”."))
    heading = LanguageMapField(_("heading"))
    note = LanguageMapField(_("note"), help_text=_("What people read before they open the access page, or the terms."))
    confirm_label = LanguageMapField(_("button"))
    error_heading = LanguageMapField(_("heading if it fails"))
    error_note = LanguageMapField(_("note if it fails"))
    logout_label = LanguageMapField(_("label for logging out"))
    origin_rule = models.CharField(_("viewers"), max_length=9, choices=OriginRule.choices, default=OriginRule.CONFIRMED)
    origins = OriginListField(_("listed viewers"), help_text=_("One to a line, such as https://viewer.example.org."))
    token_seconds = models.PositiveIntegerField(_("life of a token in seconds"), default=300)
    idle_minutes = models.PositiveIntegerField(_("idle life of access in minutes"), default=30)
    pass_hours = models.PositiveIntegerField(_("longest life of access in hours"), default=12)
    dialects = DialectListField(
        _("offered in"),
        help_text=_(
            "Versions of the IIIF protocol. Most viewers of today speak 1.0, newer ones 2.0.0; the others are for old "
            "installations and pilots."
        ),
    )
    agree_in_viewer = models.BooleanField(
        _("the viewer shows the terms"),
        default=False,
        help_text=_(
            "For terms, in versions 1.0 and 0.9.4: people agree with a click in the viewer, and our page only opens and "
            "closes. Otherwise they read and agree on our own page, whatever the viewer shows."
        ),
    )
    clients = models.CharField(
        _("registered viewers"),
        max_length=5,
        choices=Clients.choices,
        default=Clients.ANY,
        help_text=_("Version 0.9.2 only, for machines of your own. Register viewers under “Registered viewers”."),
    )

    objects = NaturalManager()
    natural_fields = ("slug",)

    class Meta:
        verbose_name = _("access service")
        verbose_name_plural = _("access services")
        ordering = ("slug",)
        constraints = (
            models.CheckConstraint(
                condition=Q(pattern__in=("login", "clickthrough", "kiosk", "external")),
                name="iiif_auth_service_pattern",
            ),
            models.CheckConstraint(
                condition=Q(origin_rule__in=("confirmed", "open", "listed")), name="iiif_auth_service_origin_rule"
            ),
            models.CheckConstraint(
                condition=Q(token_seconds__gte=10, token_seconds__lte=3600), name="iiif_auth_service_token_seconds"
            ),
            models.CheckConstraint(
                condition=Q(idle_minutes__gte=1, idle_minutes__lte=1440, pass_hours__gte=1, pass_hours__lte=720),
                name="iiif_auth_service_lives",
            ),
            models.CheckConstraint(condition=Q(clients__in=("any", "known", "only")), name="iiif_auth_service_clients"),
        )

    def __str__(self) -> str:
        return shown(self.label, self.slug)

    def natural_key(self) -> tuple[str]:
        return (self.slug,)

    def clean(self) -> None:
        if self.pattern in (self.Pattern.LOGIN, self.Pattern.CLICKTHROUGH) and not self.label:
            raise ValidationError({"label": _("Viewers show this label on a button, so it is needed (A2-ACC-05).")})
        if self.agree_in_viewer and self.pattern != self.Pattern.CLICKTHROUGH:
            raise ValidationError({"agree_in_viewer": _("Only terms can be agreed to in the viewer.")})
        if self.clients == self.Clients.ONLY and self.dialects != ["0.9.2"]:
            raise ValidationError(
                {"clients": _("Other versions have no registered viewers: offer this service in 0.9.2 only.")}
            )
        if self.error_note and not self.error_heading:
            raise ValidationError({"error_heading": _("A note needs a heading above it (A2-TSD-02).")})


class AccessPolicy(models.Model):
    """A named, reusable policy: an ordered list of tiers, and what refused people are told."""

    slug = models.CharField(_("identifier"), max_length=80, unique=True, validators=[slug_validator])
    name = models.CharField(_("name"), max_length=200)
    about = models.TextField(_("about"), blank=True, help_text=_("For your colleagues: what this is for and why."))
    is_template = models.BooleanField(
        _("template"), default=False, help_text=_("A template is copied, not used itself: it opens nothing.")
    )
    zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[check_zone],
        help_text=_("For seasons and moving walls."),
    )
    signed = models.BooleanField(
        _("hand out signed addresses"),
        default=False,
        help_text=_(
            "Viewers are told an address that works without a cookie, for as long as the pass lasts and for this one item. "
            "For browsers that keep cookies of other sites out, and for streams."
        ),
    )
    signed_if_blocked = models.BooleanField(
        _("signed addresses where cookies are kept out"),
        default=False,
        help_text=_(
            "Handed out only to browsers that were seen to keep all cookies of the library out of the viewer. Whoever runs "
            "the viewer could then pass on what a reader sees, for minutes. Without it, these readers are sent to the "
            "library's own site."
        ),
    )

    requestable = models.BooleanField(
        _("readers may ask for access"),
        default=False,
        help_text=_("The page that says why not then has a form, and requests come to the staff."),
    )
    second_approver = models.BooleanField(
        _("two people approve"),
        default=False,
        help_text=_("A request is granted when a second person approves it too."),
    )
    secret_from_staff = models.BooleanField(
        _("hidden from staff"),
        default=False,
        help_text=_("Only the people it is for, and those who may hide things, find its items in the admin."),
    )

    objects = NaturalManager()
    natural_fields = ("slug",)

    class Meta:
        verbose_name = _("access policy")
        verbose_name_plural = _("access policies")
        ordering = ("name",)
        permissions = (
            ("loosen_policy", _("Can let a policy replace stricter ones above it")),
            ("see_hidden", _("Keyholder: finds what is hidden from staff")),
            ("use_simulator", _("Can ask why somebody may see something or not")),
            ("publish_policy", _("Can publish drafts of policies")),
        )

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.slug,)


class Tier(models.Model):
    """One level of a policy: for whom, when, through which services, and what they get. The best comes first."""

    class Gets(models.TextChoices):
        FULL = "full", _("The full version")
        SMALLER = "smaller", _("A smaller version")
        SUBSTITUTE = "substitute", _("Something else instead")
        NOTHING = "nothing", _("Nothing")

    class Join(models.TextChoices):
        ANY = "any", _("Any of the conditions")
        ALL = "all", _("All of the conditions")

    policy = models.ForeignKey(AccessPolicy, models.CASCADE, related_name="tiers", verbose_name=_("policy"))
    slug = models.CharField(_("identifier"), max_length=40, validators=[slug_validator])
    order = models.PositiveSmallIntegerField(_("order"), default=0, help_text=_("The best version first."))
    label = LanguageMapField(_("label"), help_text=_("What people call this version, such as “Preview (400 px)”."))
    gets = models.CharField(_("they get"), max_length=10, choices=Gets.choices, default=Gets.FULL)
    max_edge = models.PositiveIntegerField(
        _("longest edge in pixels"), null=True, blank=True, help_text=_("For a smaller version.")
    )
    substitute = models.ForeignKey(
        "iiif_auth.Resource",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="substituted_in",
        verbose_name=_("what instead"),
    )
    suffix = models.CharField(
        _("added to the address"),
        max_length=60,
        blank=True,
        validators=[slug_validator.__class__(r"\A[A-Za-z0-9._~-]+\Z", _("Use letters, digits and . _ ~ - only."))],
        help_text=_(
            "The smaller version, or what is shown instead, is at the resource's address followed by this. "
            "Empty: ~ and the identifier."
        ),
    )
    virtual = models.BooleanField(
        _("made on the fly"),
        default=False,
        help_text=_(
            "The smaller version is cut from the large picture at each request instead of being a file of its own. A file of its "
            "own is safer; make them with “iiif_derivatives”."
        ),
    )
    formats = models.CharField(
        _("formats"),
        max_length=40,
        blank=True,
        validators=[
            RegexValidator(r"\A(?:jpg|png|webp)(?:,(?:jpg|png|webp))*\Z", _("Use jpg, png and webp, with commas."))
        ],
        help_text=_("Of versions made on the fly: jpg, png, webp, with commas between. Empty: jpg."),
    )
    qualities = models.CharField(
        _("qualities"),
        max_length=60,
        blank=True,
        validators=[
            RegexValidator(
                r"\A(?:default|color|gray|bitonal)(?:,(?:default|color|gray|bitonal))*\Z",
                _("Use default, color, gray and bitonal, with commas."),
            )
        ],
        help_text=_("Of versions made on the fly: default, color, gray, bitonal. Empty: default."),
    )
    take = models.BooleanField(_("may keep a copy"), default=True)
    join = models.CharField(_("for whom"), max_length=3, choices=Join.choices, default=Join.ANY)
    starts = models.DateTimeField(_("from"), null=True, blank=True)
    ends = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("From this moment on it is closed."))
    season_starts = models.CharField(
        _("every year from"), max_length=5, blank=True, validators=[check_month_day], help_text=_("MM-DD")
    )
    season_ends = models.CharField(
        _("every year until"),
        max_length=5,
        blank=True,
        validators=[check_month_day],
        help_text=_("MM-DD, the first day it is closed"),
    )
    wall_years = models.PositiveSmallIntegerField(
        _("moving wall in years"), null=True, blank=True, help_text=_("Opens so many years after the resource's date.")
    )
    services = models.ManyToManyField(
        AccessService, blank=True, related_name="tiers", verbose_name=_("access services")
    )

    objects = NaturalManager()
    natural_fields = ("policy__slug", "slug")

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ("policy", "order", "pk")
        constraints = (
            models.UniqueConstraint(fields=("policy", "slug"), name="iiif_auth_tier_slug"),
            models.CheckConstraint(
                condition=Q(gets__in=("full", "smaller", "substitute", "nothing")), name="iiif_auth_tier_gets"
            ),
            models.CheckConstraint(condition=Q(join__in=("any", "all")), name="iiif_auth_tier_join"),
            models.CheckConstraint(
                condition=(Q(gets="smaller") & Q(max_edge__isnull=False, max_edge__gte=1, max_edge__lte=100_000))
                | (~Q(gets="smaller") & Q(max_edge=None)),
                name="iiif_auth_tier_max_edge",
            ),
            models.CheckConstraint(
                condition=(Q(gets="substitute") & (Q(substitute__isnull=False) | ~Q(suffix="")))
                | (~Q(gets="substitute") & Q(substitute=None)),
                name="iiif_auth_tier_substitute",
            ),
            models.CheckConstraint(condition=Q(virtual=False) | Q(gets="smaller"), name="iiif_auth_tier_virtual"),
            models.CheckConstraint(
                condition=Q(starts=None) | Q(ends=None) | Q(starts__lt=F("ends")), name="iiif_auth_tier_window"
            ),
            models.CheckConstraint(
                condition=Q(season_starts="", season_ends="")
                | (~Q(season_starts="") & ~Q(season_ends="") & ~Q(season_starts=F("season_ends"))),
                name="iiif_auth_tier_season",
            ),
        )

    def __str__(self) -> str:
        return shown(self.label, self.slug)

    def natural_key(self) -> tuple[str, str]:
        return (self.policy.slug, self.slug)

    natural_key.dependencies = ["iiif_auth.accesspolicy"]  # type: ignore[attr-defined]


class Condition(models.Model):
    """One principal that a tier is for. Conditions with the same bracket are joined the other way round first."""

    class Kind(models.TextChoices):
        EVERYONE = "everyone", _("Everyone")
        AUTHENTICATED = "authenticated", _("Anyone signed in")
        USER = "user", _("A person")
        GROUP = "group", _("A group")
        ATTRIBUTE = "attribute", _("An attribute from the identity provider")
        NETWORK = "network", _("A network")
        AGREED = "agreed", _("Whoever went through an access service")

    tier = models.ForeignKey(Tier, models.CASCADE, related_name="conditions", verbose_name=_("tier"))
    kind = models.CharField(_("who"), max_length=13, choices=Kind.choices)
    bracket = models.PositiveSmallIntegerField(
        _("bracket"),
        default=0,
        help_text=_(
            "Lines with the same number (but 0) belong together: in a list joined by “all”, any one of them will do."
        ),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    group = models.ForeignKey(
        "auth.Group", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("group")
    )
    network = models.ForeignKey(
        Network, models.PROTECT, null=True, blank=True, related_name="conditions", verbose_name=_("network")
    )
    service = models.ForeignKey(
        AccessService,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="conditions",
        verbose_name=_("access service"),
    )
    attribute_name = models.CharField(_("attribute"), max_length=200, blank=True)
    attribute_value = models.CharField(_("value"), max_length=500, blank=True)

    objects = NaturalManager()
    natural_fields = (
        "tier",
        "kind",
        "bracket",
        "user",
        "group",
        "network",
        "service",
        "attribute_name",
        "attribute_value",
    )

    class Meta:
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        ordering = ("tier", "bracket", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=("everyone", "authenticated", "user", "group", "attribute", "network", "agreed")),
                name="iiif_auth_condition_kind",
            ),
            models.CheckConstraint(
                condition=(Q(kind="user") & Q(user__isnull=False)) | (~Q(kind="user") & Q(user=None)),
                name="iiif_auth_condition_user",
            ),
            models.CheckConstraint(
                condition=(Q(kind="group") & Q(group__isnull=False)) | (~Q(kind="group") & Q(group=None)),
                name="iiif_auth_condition_group",
            ),
            models.CheckConstraint(
                condition=(Q(kind="network") & Q(network__isnull=False)) | (~Q(kind="network") & Q(network=None)),
                name="iiif_auth_condition_network",
            ),
            models.CheckConstraint(
                condition=(Q(kind="agreed") & Q(service__isnull=False)) | (~Q(kind="agreed") & Q(service=None)),
                name="iiif_auth_condition_service",
            ),
            models.CheckConstraint(
                condition=(Q(kind="attribute") & ~Q(attribute_name=""))
                | (~Q(kind="attribute") & Q(attribute_name="", attribute_value="")),
                name="iiif_auth_condition_attribute",
            ),
        )

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def natural_key(self) -> tuple[Any, ...]:
        """All that it says: a fixture that is loaded again adds nothing."""
        return tuple(self.serializable_value(name) for name in self.natural_fields)


class RefusalText(models.Model):
    """What a policy tells people for one kind of refusal."""

    class Why(models.TextChoices):
        NOT_SIGNED_IN = "not-signed-in", _("not signed in")
        NOT_ENTITLED = "not-entitled", _("signed in, but not entitled")
        NOT_AGREED = "not-agreed", _("terms not agreed to")
        WRONG_PLACE = "wrong-place", _("in the wrong place")
        TOO_EARLY = "too-early", _("too early")
        TOO_LATE = "too-late", _("too late")
        OUT_OF_SEASON = "out-of-season", _("out of season")
        EMBARGOED = "embargoed", _("under embargo")
        WITHDRAWN = "withdrawn", _("withdrawn")
        NOT_OFFERED = "not-offered", _("offered to nobody")

    policy = models.ForeignKey(AccessPolicy, models.CASCADE, related_name="texts", verbose_name=_("policy"))
    why = models.CharField(_("reason"), max_length=20, choices=Why.choices)
    heading = LanguageMapField(_("heading"), blank=False)
    note = LanguageMapField(_("note"))

    objects = NaturalManager()
    natural_fields = ("policy", "why")

    class Meta:
        verbose_name = _("text for refusals")
        verbose_name_plural = _("texts for refusals")
        ordering = ("policy", "why")
        constraints = (
            models.UniqueConstraint(fields=("policy", "why"), name="iiif_auth_text_why"),
            models.CheckConstraint(
                condition=Q(
                    why__in=(
                        "not-signed-in",
                        "not-entitled",
                        "not-agreed",
                        "wrong-place",
                        "too-early",
                        "too-late",
                        "out-of-season",
                        "embargoed",
                        "withdrawn",
                        "not-offered",
                    )
                ),
                name="iiif_auth_text_why_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.policy}: {self.get_why_display()}"

    def natural_key(self) -> tuple[int, str]:
        return (self.policy_id, self.why)


class Collection(models.Model):
    """A set of resources, in a tree: what they have in common about access."""

    slug = models.CharField(_("identifier"), max_length=80, unique=True, validators=[slug_validator])
    label = LanguageMapField(_("label"), blank=False)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )
    policy = models.ForeignKey(
        AccessPolicy,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="collections",
        verbose_name=_("policy"),
        limit_choices_to={"is_template": False},
    )
    overrides = models.BooleanField(
        _("replaces the policies above"), default=False, help_text=_("Otherwise the strictest one wins.")
    )
    hides_existence = models.BooleanField(
        _("keeps secret what exists"),
        default=False,
        help_text=_("To people who may not see it, everything in here looks the same, whether it exists or not."),
    )
    administrators = models.ManyToManyField(
        "auth.Group", blank=True, related_name="+", verbose_name=_("administered by")
    )

    objects = NaturalManager()
    natural_fields = ("slug",)

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        ordering = ("slug",)
        constraints = (
            models.CheckConstraint(condition=~Q(parent=F("id")), name="iiif_auth_collection_not_in_itself"),
            models.CheckConstraint(
                condition=Q(overrides=False) | Q(policy__isnull=False), name="iiif_auth_collection_overrides"
            ),
        )

    def __str__(self) -> str:
        return shown(self.label, self.slug)

    def natural_key(self) -> tuple[str]:
        return (self.slug,)

    def clean(self) -> None:
        """Refuse a circle: nobody could say which collection is the outermost."""
        above, seen = self.parent, {self.pk}
        while above is not None:
            if above.pk in seen:
                raise ValidationError({"parent": _("A collection can not be part of itself.")})
            seen.add(above.pk)
            above = above.parent


class CollectionRule(models.Model):
    """Membership by address: every URL that fits belongs to the collection, known to us or not."""

    class Fits(models.TextChoices):
        EXACT = "exact", _("is exactly")
        PREFIX = "prefix", _("begins with")
        GLOB = "glob", _("looks like (* is anything within one segment)")

    collection = models.ForeignKey(Collection, models.CASCADE, related_name="rules", verbose_name=_("collection"))
    fits = models.CharField(_("the address"), max_length=6, choices=Fits.choices, default=Fits.PREFIX)
    pattern = PatternField(
        _("pattern"), max_length=1000, help_text=_("Such as /iiif/3/maps/ or https://images.example.org/iiif/3/maps/*")
    )

    class Meta:
        verbose_name = _("address rule")
        verbose_name_plural = _("address rules")
        ordering = ("collection", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(fits__in=("exact", "prefix", "glob")), name="iiif_auth_rule_fits"),
            models.CheckConstraint(
                condition=Q(pattern__startswith="/") | Q(pattern__startswith="https://"), name="iiif_auth_rule_pattern"
            ),
            models.UniqueConstraint(fields=("collection", "fits", "pattern"), name="iiif_auth_rule_once"),
        )

    def __str__(self) -> str:
        return f"{self.get_fits_display()} {self.pattern}"

    def clean(self) -> None:
        if self.pattern.rstrip("*") == "/":
            raise ValidationError({"pattern": _("This would take in everything; please be more precise.")})
