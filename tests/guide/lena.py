"""Lena, who looks after the digital collections."""

from __future__ import annotations

from tests.guide.script import Choose, Follow, Home, Person, Press, Step, Task, Untick, Write

HOME = Home()

RESTRICT = Task(
    slug="restrict",
    title="Restrict a new collection in one step",
    when="A collection has arrived, and everything in it is to follow one rule.",
    needs="The role *Collection access manager* of that collection, or *Rights officer*.",
    account="rights",
    jobs=(1, 10),
    steps=(
        Step(
            "On the first page of **Access to IIIF content** choose **Collections**.",
            (HOME, Follow("Collections")),
            "every collection with a sentence that says who may see it, among them **Lantern slides**: nobody, so far.",
            "The list of collections; each row says in words who may see what is in it.",
        ),
        Step(
            "In the row of the lantern slides follow **Choose a policy…**.",
            (Follow("Choose a policy…", row="Lantern slides"),),
            "**It covers 60 items.** Nothing is changed by looking.",
            "The page “Who may see …?”: the one choice, and what there is now.",
        ),
        Step(
            "Choose a **Policy of everything in it**, here “Merehaven: readers”, and press **Show me**.",
            (Choose("Policy of everything in it", "Merehaven: readers"), Press("Show me")),
            "**As it would be**: the rule as a sentence, and a table of who gains and who loses. Try others until the sentence "
            "says what you mean.",
            "What the choice would mean: a sentence, and who gains.",
        ),
        Step(
            "Say why under **Reason** and press **Save**.",
            (Write("Reason", "Agreed with the donor: readers only."), Press("Save")),
            "**From now on, for all of “Lantern slides”** and the sentence. It counts at once, also for whatever is added to the "
            "collection later.",
            "The list of collections after saving, with the new sentence above.",
        ),
    ),
    wrong=(
        (
            "No policy fits.",
            "The page links to *Make one from a template*: copy the nearest one, change the copy, and come back.",
        ),
        (
            "“3 of them have policies of their own too.”",
            "The stricter of the two counts for those; the list of resources shows them under *By own policy, or none*.",
        ),
        (
            "It was the wrong policy.",
            "*History*: open the newest line, *Revert this change*. What was there before is there again, as a new line.",
        ),
    ),
)

REPORT = Task(
    slug="report",
    title="The report for the director",
    when="Once a month, or whenever somebody asks what was used and what was refused.",
    needs="The right to look at reports: every role from *Collection access manager* up.",
    account="rights",
    jobs=(23,),
    steps=(
        Step(
            "On the first page of **Access to IIIF content** choose **Reports**.",
            (HOME, Follow("Reports")),
            "what was shown, lessened and refused in the last weeks: plots, and under each its numbers as a table.",
            "The report: questions above, the first plot below.",
        ),
        Step(
            "Choose another **Period**, **The last 90 days**, and press **Show**.",
            (Choose("Period", "The last 90 days"), Press("Show")),
            "the same for those days. There is nothing about single people in it.",
            "A plot of the last ninety days, with its numbers beneath.",
            "#content h2:has-text('Requests by decision')",
        ),
    ),
    wrong=(
        (
            "A number is missing, and a sign stands for it.",
            "Below five, nothing is told, so that nobody can be guessed from it.",
        ),
        (
            "There is nothing at all.",
            "Counting may be switched off, or its daily work was not done. *Is the site in order?* says which.",
        ),
    ),
)

DRAFT = Task(
    slug="draft",
    title="Try a rule before it is live",
    when="A policy that governs much is to change, and you want to know first what that does.",
    needs="The role *Rights officer*.",
    account="rights",
    jobs=(21,),
    steps=(
        Step(
            "On the first page of **Access to IIIF content** choose **Access policies**. In the row of the policy follow **Edit "
            "as a draft**.",
            (HOME, Follow("Access policies"), Follow("Edit as a draft", row="Merehaven: campus or readers")),
            "the form of the policy, and above it **This is a draft.** Nothing said here counts for readers yet.",
            "The form of a draft.",
        ),
        Step(
            "Change what is to change: here, take the tick from **May keep a copy**. Press **Keep the draft and compare**.",
            (Untick("May keep a copy"), Press("Keep the draft and compare")),
            "the live sentence beside that of the draft, **What differs**, and **Who gains, who loses** with numbers of items.",
            "Live and draft, side by side.",
        ),
        Step(
            "Ask for somebody in particular: a name under **People**, one to a line, and **Ask**.",
            (Write("People", "reader"), Press("Ask")),
            "a line for **reader** in the table.",
            "The table with a person in it.",
            "#content h2:has-text('Who gains')",
        ),
        Step(
            "Say why under **Reason**, and press **Publish now**. (“Publish at this time” does it later, by itself.)",
            (Write("Reason", "Agreed by the board on Tuesday."), Press("Publish now")),
            "**is live as in the draft. It can be put back for 30 days.**",
            "The policy after publishing.",
        ),
    ),
    wrong=(
        (
            "“The live policy was changed since the draft was begun.”",
            "The page shows what a colleague changed. Publishing takes that back: tick that you mean it, or begin anew.",
        ),
        (
            "“As it is, it can not be published.”",
            "Something it needs is gone, a group for instance. The sentence names it; edit the draft.",
        ),
        (
            "It was wrong after all.",
            "*Batches of changes*: open the newest, *Undo…*. The policy is as it was.",
        ),
        (
            "It was not published at its time.",
            "The first page says so. The daily command does it, and did not run; whoever runs the site is asked to look.",
        ),
    ),
)

PERSON = Person(
    slug="lena",
    name="Lena, digital collections",
    about="Lena looks after everything that was digitised: what comes in, what may be shown, and what to tell the director.",
    tasks=(RESTRICT, REPORT, DRAFT),
)
