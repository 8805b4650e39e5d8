"""Tomas, metadata and digitisation."""

from __future__ import annotations

import json

from tests.guide.script import Choose, Follow, Home, Person, Press, Step, Task, Tick, Write

HOME = Home()
FIRST = "On the first page of **Access to IIIF content**"

MANY = Task(
    slug="many",
    title="Ten thousand rows: change them, and change your mind",
    when="A whole series gets another rule, and nothing else may be touched.",
    needs="The role *Collection access manager* of the collection. To open more than its policies do takes a *Rights officer*.",
    account="maps",
    jobs=(5,),
    steps=(
        Step(
            f"{FIRST} choose **Resources**, and at the side the collection, **Survey sheets**.",
            (HOME, Follow("Resources"), Follow("Survey sheets")),
            "the first hundred of ten thousand.",
            "The list of resources, filtered to the survey sheets.",
        ),
        Step(
            "Tick the box at the head of the first column (**Select all**), then press **Select all 10000 resources** above the "
            "list. Choose **Set policy…** as the **Action** and press **Go**.",
            (
                Tick("Select all"),
                Press("Select all 10000 resources"),
                Choose("Action", "Set policy…"),
                Press("Go"),
            ),
            "**Set the policy of 10,000 resources**, and by which policies they are governed now.",
            "The questions before a policy is set.",
        ),
        Step(
            "Choose the **Policy**, here “Merehaven: readers”, say why under **Reason**, and press **See what would change**.",
            (
                Choose("Policy", "Merehaven: readers"),
                Write("Reason", "Ticket 4711: the survey is being revised."),
                Press("See what would change"),
            ),
            "**10000 will be changed**, and a table of who gains and who loses. *Dry run as a file* has every row of it; nothing "
            "is done yet.",
            "The dry run: how many, and who gains or loses.",
        ),
        Step(
            "Press **Set policy** (the number stands behind it).",
            (Press("Set policy"),),
            "the receipt: **Done**, with **10000 changed rows**.",
            "The receipt of ten thousand changes.",
        ),
        Step(
            "You change your mind: follow **Undo…**, give the **Reason**, and press **Put back**.",
            (Follow("Undo…"), Write("Reason", "The ticket was withdrawn."), Press("Put back")),
            "a receipt of its own: **Done**. Rows that somebody changed in the meantime are left alone, and named.",
            "The receipt of the undoing.",
        ),
    ),
    wrong=(
        (
            "“They become a job.”",
            "More than twenty thousand are done piece by piece on the server. The page shows how far it is; you may close it.",
        ),
        (
            "“What is chosen has changed in the meantime.”",
            "Somebody added or took away rows while you were reading. Look at the numbers once more, and apply again.",
        ),
        (
            "“… are left as they are.”",
            "The sentence says why: somebody must be allowed to loosen, or it is as you want it already.",
        ),
    ),
)

MANIFEST = json.dumps(
    {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": "https://maps.example/manifest.json",
        "type": "Manifest",
        "label": {"en": ["Harbour soundings"]},
        "items": [
            {
                "id": f"https://maps.example/canvas/{number}",
                "type": "Canvas",
                "label": {"en": [f"Sounding {number}"]},
                "height": 1000,
                "width": 800,
                "items": [
                    {
                        "id": f"https://maps.example/page/{number}",
                        "type": "AnnotationPage",
                        "items": [
                            {
                                "id": f"https://maps.example/annotation/{number}",
                                "type": "Annotation",
                                "motivation": "painting",
                                "target": f"https://maps.example/canvas/{number}",
                                "body": {
                                    "id": f"https://maps.example/iiif/sounding-{number}/full/max/0/default.jpg",
                                    "type": "Image",
                                    "format": "image/jpeg",
                                    "service": [
                                        {"id": f"https://maps.example/iiif/sounding-{number}", "type": "ImageService3"}
                                    ],
                                },
                            }
                        ],
                    }
                ],
            }
            for number in (1, 2, 3)
        ],
    }
)

BRING = Task(
    slug="manifest",
    title="Bring in a manifest",
    when="A manifest is there, and you want to know what governs what it shows, or to give it a rule.",
    needs="The role *Rights officer*, or *Collection access manager* for a collection of one's own.",
    account="rights",
    jobs=(20,),
    steps=(
        Step(
            f"{FIRST} choose **Manifests**.",
            (HOME, Follow("Manifests")),
            "three ways to bring one in: **File**, **Or its text**, or its address where that is allowed.",
            "The page of manifests.",
        ),
        Step(
            "Paste it under **Or its text** and press **Look into it**.",
            (Write("Or its text", MANIFEST), Press("Look into it")),
            "**What is in it**: every item with what governs it now. Nothing was fetched, and nothing is stored.",
            "What is in the manifest, with ticks.",
        ),
        Step(
            "Leave the ticks, write merehaven-maps into **Put it into the collection**, choose “Merehaven: readers” under "
            "**Give it the policy**, and press **Look at what would change**.",
            (
                Write("Put it into the collection", "merehaven-maps"),
                Choose("Give it the policy", "Merehaven: readers"),
                Press("Look at what would change"),
            ),
            "**Nothing is changed yet.** Three items would be made.",
            "What would be made.",
        ),
        Step(
            "Say why under **Reason** and press **Apply 3 changes**.",
            (Write("Reason", "New soundings, for readers."), Press("Apply 3 changes")),
            "**Receipt (CSV)**, and for thirty days the way back.",
            "What was done.",
        ),
    ),
    wrong=(
        (
            "“Only pointed at”.",
            "It is a Collection, and its manifests are not in the document itself. Bring them in one by one.",
        ),
        (
            "It can not be read.",
            "The page says at which place. Manifests with the usual faults are read; those that are not JSON are not.",
        ),
        (
            "It states rights.",
            "They are shown as a suggestion. A statement about copyright does not say who may see it; you do.",
        ),
    ),
)

PERSON = Person(
    slug="tomas",
    name="Tomas, metadata and digitisation",
    about="Tomas changes thousands of rows at once and must not break anything.",
    tasks=(MANY, BRING),
)
