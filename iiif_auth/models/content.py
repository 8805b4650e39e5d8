"""Resources and their renditions, identified by URL."""

from __future__ import annotations

from collections.abc import Collection as Names
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from iiif_auth.conf import conf
from iiif_auth.models.fields import LanguageMapField
from iiif_auth.models.naming import NaturalManager, shown
from iiif_auth.models.rules import AccessPolicy, Collection
from iiif_auth.protocol import identity


class ResourceURLField(models.TextField):  # type: ignore[type-arg]
    """A URL in the one spelling under which resources are found; see :mod:`iiif_auth.protocol.identity`."""

    def to_python(self, value: object) -> str:
        text = str(super().to_python(value) or "")
        try:
            return identity.normalised(text, conf.BASE_URL) if text else text
        except identity.NotAResourceURL as error:
            raise ValidationError(str(error)) from error

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """Normalise whatever code assigned."""
        url = self.to_python(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, url)
        return url


class DigestOfURL:
    """Reads as the digest of the row's URL, whatever is assigned: the two can not come apart, in a fixture either."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        return self if row is None else identity.digest(ResourceURLField().to_python(row.url))

    def __set__(self, row: Any, value: object) -> None:
        """What the database or a fixture says is not needed, but without it Django takes the field for a deferred one,
        which ``save()`` leaves as it is: the digest of the former URL.
        """
        row.__dict__[self.name] = value


class DigestField(models.CharField):  # type: ignore[type-arg]
    """What is unique and indexed of a URL, which may be too long for an index; compared byte for byte."""

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, DigestOfURL(self.attname))


class Addressed(models.Model):
    """A row that is found by a URL. The URL is stored normalised, and found by its digest, compared byte for byte."""

    url = ResourceURLField(
        _("address"),
        help_text=_("Of the image service or of the file. On this site a path will do, such as /iiif/image/3/chart."),
    )
    url_digest = DigestField(max_length=64, unique=True, editable=False)

    class Meta:
        abstract = True


class SourceField(models.CharField):  # type: ignore[type-arg]
    """The name of the bytes on the image server or below the folder, decoded; empty if it is the one in the address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        usual: dict[str, Any] = {"max_length": 1000, "blank": True, "validators": [check_source]}
        super().__init__(*args, **{**usual, **kwargs})


def check_source(source: str) -> None:
    """Refuse what would lead out of the folder, or be read in two ways by two programs (security table P)."""
    if not identity.is_source(source):
        raise ValidationError(
            _(
                "Give the name as the image server knows it, such as maps/survey.tif: no “..”, no empty part, no leading slash."
            )
        )


class Kind(models.TextChoices):
    IMAGE = "Image", _("Image")
    VIDEO = "Video", _("Film or video")
    SOUND = "Sound", _("Sound")
    TEXT = "Text", _("Text or PDF")
    MODEL = "Model", _("Three-dimensional model")
    DATASET = "Dataset", _("Data")


class ImageApi(models.IntegerChoices):
    NONE = 0, _("No: a file")
    V2 = 2, _("Yes, Image API 2")
    V3 = 3, _("Yes, Image API 3")


class Resource(Addressed):
    """Something that can be restricted: an image, a film, a recording, a document."""

    label = LanguageMapField(_("label"), blank=False)
    type = models.CharField(_("type"), max_length=8, choices=Kind.choices, default=Kind.IMAGE)
    image_api = models.PositiveSmallIntegerField(_("image service"), choices=ImageApi.choices, default=ImageApi.NONE)
    format = models.CharField(_("media type"), max_length=100, blank=True, help_text=_("Such as video/webm."))
    source = SourceField(
        _("name at the source"),
        help_text=_(
            "On the image server or in the folder, if it is another than in the address, such as maps/survey.tif."
        ),
    )
    collection = models.ForeignKey(
        Collection, models.PROTECT, null=True, blank=True, related_name="resources", verbose_name=_("collection")
    )
    policy = models.ForeignKey(
        AccessPolicy,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="resources",
        verbose_name=_("own policy"),
        limit_choices_to={"is_template": False},
    )
    overrides = models.BooleanField(
        _("replaces the policies above"), default=False, help_text=_("Otherwise the strictest one wins.")
    )
    date = models.DateField(
        _("date"), null=True, blank=True, help_text=_("When it was made; moving walls count from it.")
    )
    remarks = models.TextField(_("remarks"), blank=True)

    objects = NaturalManager()
    natural_fields = ("url",)

    class Meta:
        verbose_name = _("resource")
        verbose_name_plural = _("resources")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                condition=Q(image_api=0) | Q(type="Image", image_api__in=(2, 3)), name="iiif_auth_resource_image_api"
            ),
            models.CheckConstraint(
                condition=Q(type__in=("Image", "Video", "Sound", "Text", "Model", "Dataset")),
                name="iiif_auth_resource_type",
            ),
            models.CheckConstraint(
                condition=Q(overrides=False) | Q(policy__isnull=False), name="iiif_auth_resource_overrides"
            ),
        )

    def __str__(self) -> str:
        return shown(self.label, self.url)

    def natural_key(self) -> tuple[str]:
        return (self.url,)

    def validate_constraints(self, exclude: Names[str] | None = None) -> None:
        """Compare by digest, since the digest is what the database compares."""
        twin = type(self).objects.filter(url_digest=identity.digest(self.url)).exclude(pk=self.pk).first()
        if self.url and twin is not None:
            raise ValidationError(
                {"url": _("This address already belongs to the resource “%(twin)s”.") % {"twin": twin}}
            )
        super().validate_constraints(exclude)


class Rendition(Addressed):
    """Another address of a resource: a smaller version, the same in another API, or where the bytes are delivered."""

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="renditions", verbose_name=_("resource"))
    tier = models.CharField(
        _("tier"),
        max_length=40,
        blank=True,
        help_text=_("The identifier of the tier it is for; empty for the full version."),
    )
    image_api = models.PositiveSmallIntegerField(_("image service"), choices=ImageApi.choices, default=ImageApi.NONE)
    format = models.CharField(_("media type"), max_length=100, blank=True)
    source = SourceField(
        _("name at the source"),
        help_text=_(
            "On the image server or in the folder, if it is another than in the address, such as maps/survey.tif."
        ),
    )
    label = LanguageMapField(_("label"))
    is_location = models.BooleanField(
        _("delivered here"),
        default=False,
        help_text=_("The published address is not where the bytes are: people who may have it are sent here."),
    )

    objects = NaturalManager()
    natural_fields = ("url",)

    class Meta:
        verbose_name = _("rendition")
        verbose_name_plural = _("renditions")
        ordering = ("resource", "tier", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("resource", "tier"), condition=Q(is_location=True), name="iiif_auth_rendition_one_location"
            ),
            models.CheckConstraint(condition=Q(image_api__in=(0, 2, 3)), name="iiif_auth_rendition_image_api"),
        )

    def __str__(self) -> str:
        return str(self.url)

    def natural_key(self) -> tuple[str]:
        return (self.url,)
