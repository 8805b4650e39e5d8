"""Fields whose values are checked wherever they come from: a form, a fixture, or code."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from iiif_auth.conf import conf
from iiif_auth.policy.types import IPNetwork
from iiif_auth.protocol import dialects, identity, languages, origins


class CheckedJSONField(models.JSONField):
    """JSON that is validated in ``to_python`` too, because ``loaddata`` calls nothing else."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        self.check_value(value)
        return value

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        self.check_value(value)

    def check_value(self, value: Any) -> None:
        raise NotImplementedError


class LanguageMapField(CheckedJSONField):
    """A IIIF language map, ``{"en": ["Chart"]}``; empty is ``{}``.

    Raises:
        ValidationError: with a sentence for everything that is wrong with it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", dict)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def check_value(self, value: Any) -> None:
        found = list(languages.problems(value))
        if found:
            raise ValidationError(found)

    def formfield(self, **kwargs: Any) -> Any:
        from iiif_auth.forms import LanguageMapFormField

        return models.Field.formfield(self, **{"form_class": LanguageMapFormField, **kwargs})


def parsed_prefix(text: str) -> IPNetwork:
    """One network in prefix notation.

    Raises:
        ValidationError: anything else, such as a mask, host bits, a zone or a range (security N5).
    """
    network, slash, length = text.partition("/")
    if "%" in text or (slash and not (length.isascii() and length.isdigit())):
        raise ValidationError(_("“%(text)s” is not a network; write it as 192.0.2.0/24.") % {"text": text[:60]})
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValidationError(_("“%(text)s” is not a network: %(why)s.") % {"text": text[:60], "why": error}) from error


class PrefixListField(CheckedJSONField):
    """A list of networks in prefix notation, IPv4 and IPv6."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", list)
        super().__init__(*args, **kwargs)

    def check_value(self, value: Any) -> None:
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise ValidationError(_("Networks are a list of texts such as 192.0.2.0/24."))
        for text in value:
            parsed_prefix(text)

    def formfield(self, **kwargs: Any) -> Any:
        from iiif_auth.forms import LinesFormField

        return models.Field.formfield(self, **{"form_class": LinesFormField, **kwargs})


class OriginListField(CheckedJSONField):
    """A list of viewers' origins, each as a browser would send it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", list)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def check_value(self, value: Any) -> None:
        if not isinstance(value, list):
            raise ValidationError(_("Origins are a list of texts such as https://viewer.example.org."))
        for text in value:
            if not isinstance(text, str) or origins.serialised(text) != text:
                raise ValidationError(
                    _("“%(text)s” is not an origin; write it as https://viewer.example.org, without a path.")
                    % {"text": str(text)[:80]}
                )

    def formfield(self, **kwargs: Any) -> Any:
        from iiif_auth.forms import LinesFormField

        return models.Field.formfield(self, **{"form_class": LinesFormField, **kwargs})


class DialectListField(CheckedJSONField):
    """A list of the versions of the protocol in which a service is offered, by their names in our own list."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", dialects_by_default)
        super().__init__(*args, **kwargs)

    def check_value(self, value: Any) -> None:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ValidationError(_("Versions are a list of names such as “2” and “1”."))
        for name in value:
            if name not in dialects.TITLES:
                known = ", ".join(dialects.TITLES)
                raise ValidationError(
                    _("“%(name)s” is not a version we know; the versions are %(known)s.")
                    % {"name": name[:40], "known": known}
                )

    def formfield(self, **kwargs: Any) -> Any:
        from iiif_auth.forms import DialectsFormField

        return models.Field.formfield(self, **{"form_class": DialectsFormField, **kwargs})


def dialects_by_default() -> list[str]:
    """What a new service is offered in: the present version, and the one that most viewers speak."""
    return list(dialects.BY_DEFAULT)


class PatternField(models.CharField):  # type: ignore[type-arg]
    """A beginning of URLs, or a URL with ``*`` in it, in the spelling of the URLs it is compared with."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "")
        try:
            return identity.normalised_pattern(text, conf.BASE_URL) if text else text
        except identity.NotAResourceURL as error:
            raise ValidationError(str(error)) from error

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """Normalise whatever code assigned."""
        pattern = self.to_python(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, pattern)
        return pattern
