"""The page on which a machine becomes one of the reading room's: somebody types the code that the staff made for it.

Typing it is all there is to do; the answer leads back here, and the page then says what came of it, by the cookie that came back
with the request. So a browser that keeps no cookies is told so.
"""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from iiif_auth import devices, identify
from iiif_auth.asking import limits
from iiif_auth.http.access import page
from iiif_auth.http.headers import PAGE, with_headers
from iiif_auth.http.reading import in_readers_language
from iiif_auth.models import Device

FROM_ONE = (30, 600)
"""Codes that may be tried from one address, and, below, from all together: how many in how many seconds."""
FROM_ALL = (3000, 600)
DONE = "done"


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_lazy("Code"),
        max_length=40,
        help_text=_lazy(
            "Eight letters and digits such as 7F3K-92CD, with or without the hyphen. It is good for ten minutes."
        ),
        error_messages={"required": _lazy("Please type the code that the staff gave you.")},
        widget=forms.TextInput(
            {
                "autocomplete": "one-time-code",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "inputmode": "text",
                "class": "code",
                "dir": "ltr",
                "aria-describedby": "id_code_help",
            }
        ),
    )


@never_cache
@sensitive_post_parameters()
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@in_readers_language
def enrol(request: HttpRequest) -> HttpResponse:
    """The form, and what this machine is; a POST with a good code enrols it."""
    if request.method != "POST":
        return _shown(request, CodeForm())
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _shown(request, form, 400)
    if not _may_try(request):
        form.add_error(None, _("Too many codes were tried from here. Please wait ten minutes, and ask for a new code."))
        return _shown(request, form, 429)
    return _tried(request, form)


@sensitive_variables("secret")
def _tried(request: HttpRequest, form: CodeForm) -> HttpResponse:
    secret = devices.enrol(request, form.cleaned_data["code"])
    if secret is None:
        # Wrong, used, too old or taken back: whoever guesses learns nothing.
        form.add_error(
            "code",
            _(
                "This code is not good, or not any more. Please check it letter by letter, or ask the staff for a new one."
            ),
        )
        return _shown(request, form, 400)
    response = HttpResponseRedirect(f"{reverse('iiif_auth:enrol')}?{DONE}=1")
    devices.set_cookie(response, secret)
    return with_headers(response, PAGE)


def _may_try(request: HttpRequest) -> bool:
    here = str(identify.address(request))
    return limits.within("codes", here, FROM_ONE) and limits.within("codes", "", FROM_ALL)


def _shown(request: HttpRequest, form: CodeForm, status: int = 200) -> HttpResponse:
    own = identify.machine(request)
    row = Device.objects.select_related("network").filter(pk=own.device or 0).first() if own else None
    context: dict[str, object] = {
        "title": _("This machine is enrolled") if row else _("Enrol this machine"),
        "row": row,
        "form": form,
        "lost": row is None and DONE in request.GET,
    }
    response = page(request, "iiif_auth/enrol.html", context, status)
    devices.renew(request, response)
    return response
