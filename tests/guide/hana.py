"""Hana, at the help desk."""

from __future__ import annotations

from tests.guide.scene import CODE
from tests.guide.script import Choose, Home, Person, Press, Step, Task, Write

HOME = Home()

EXPLAIN = Task(
    slug="explain",
    title="A caller quotes a reference: say why in a minute",
    when=(
        "Somebody calls: “It says I can't see it.” The page that refused them shows a reference of six letters and figures; "
        "they read it out."
    ),
    needs="The role *Access viewer* in the collection concerned. It changes nothing, so nothing can go wrong.",
    account="help",
    jobs=(2, 10),
    steps=(
        Step(
            f"On the first page of **Access to IIIF content** write the reference, {CODE}, into **Why can somebody see it, or "
            "not?** and press **Look it up**.",
            (HOME, Write("Why can somebody see it, or not?", CODE), Press("Look it up")),
            "**Refused**, and the reason in one sentence, judged for the time and the place at which the caller met it. Read it "
            "out.",
            "The answer: refused, why, and what would be enough.",
            ".iiif-auth-answer",
        ),
        Step(
            "The caller asks what they can do. Ask it for them: under **Place** choose the **Merehaven reading room**, empty "
            "**Address** and **Time**, and press **Ask**.",
            (Choose("Place", "Merehaven reading room"), Write("Address", ""), Write("Time", ""), Press("Ask")),
            "**Allowed**: from there it opens. That is what you tell the caller.",
            "The same question, asked for the reading room: allowed.",
            ".iiif-auth-answer",
        ),
    ),
    wrong=(
        (
            "The caller has no reference.",
            "Any address will do: what they copied from the viewer or from the browser, or the name of the item.",
        ),
        (
            "“No refusal has this reference.”",
            "References are kept for thirty days. Ask for the address instead, and put in the person and the place yourself.",
        ),
        (
            "It says “Allowed”, and the caller is refused all the same.",
            "Something between them and us differs from what the page assumes: compare the address that it was asked for with "
            "the one that the caller has, then send the link of this page to your systems librarian: it holds the question.",
        ),
        (
            "The item is not found.",
            "It may belong to a collection that was not given to you to look after. Pass the reference on.",
        ),
    ),
)

PERSON = Person(
    slug="hana",
    name="Hana, at the help desk",
    about="Hana answers the telephone. She may look and may change nothing, and a caller gives her a minute.",
    tasks=(EXPLAIN,),
)
