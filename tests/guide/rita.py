"""Rita, rights and permissions."""

from __future__ import annotations

from tests.guide.script import NEWEST, Choose, Follow, Home, Person, Press, Send, Step, Task, Tick, Write

HOME = Home()
OFFICER = "The role *Rights officer*."
FIRST = "On the first page of **Access to IIIF content**"

EMBARGO = Task(
    slug="embargo",
    title="Closed until 1 May 2031, then open",
    when="A contract says so.",
    needs="The role *Collection access manager* of the collection, or *Rights officer*; “then open” loosens, so an officer.",
    account="rights",
    jobs=(4, 14),
    steps=(
        Step(
            f"{FIRST} choose **Collections**, and tick the box in the row of the **Herring-fleet photographs**. As "
            "the **Action** choose **Embargo…**, and press **Go**.",
            (
                HOME,
                Follow("Collections"),
                Tick("Herring-fleet photographs", row="Herring-fleet photographs"),
                Choose("Action", "Embargo…"),
                Press("Go"),
            ),
            "the questions of an embargo. (For single items, begin with *Resources* instead.)",
            "The form of an embargo.",
        ),
        Step(
            "Write 2031-05-01 under **Opens on**, choose “Merehaven: open” as **Then the policy**, give the **Reason** with the "
            "number of the contract, and press **See what would change**.",
            (
                Write("Opens on", "2031-05-01"),
                Choose("Then the policy", "Merehaven: open"),
                Write("Reason", "Contract 2026/14 with the estate, § 3."),
                Press("See what would change"),
            ),
            "**What would change**: what you said, how many it concerns and who loses access now. Nothing is done yet.",
            "What would change: the answers once more, and a table of who gains and who loses.",
        ),
        Step(
            "Press **Lay the embargo**.",
            (Press("Lay the embargo"),),
            "the receipt: **Done**. On 1 May 2031, at midnight where the library is, it opens by itself; nothing has to run, and "
            "readers are told the day.",
            "The receipt of the embargo, with the button that undoes it.",
        ),
    ),
    wrong=(
        (
            "“1 is left as it is”.",
            "There is an embargo on it already. Go back to the answers and say what becomes of it: left, added to, or replaced.",
        ),
        (
            "The contract is prolonged.",
            "*Embargoes*: open it, change the day, save. Or *Lift embargo…* in the same list of actions, to open it at once.",
        ),
        (
            "Someone may see it all the same.",
            "Those with a grant may, unless “No exceptions” is ticked.",
        ),
    ),
)

WITHDRAW = Task(
    slug="withdraw",
    title="Take this down now, and put it back later",
    when="A complaint arrives. First it goes, then it is looked into.",
    needs=f"{OFFICER} A collection access manager may do it in their own collection.",
    account="rights",
    jobs=(8,),
    steps=(
        Step(
            f"{FIRST} choose **Collections**, and in the row of the collection follow **Withdraw…**. (For a single item: the "
            "same link in the list of *Resources*.)",
            (HOME, Follow("Collections"), Follow("Withdraw…", row="Modern pictures")),
            "four questions: **Reference**, **To be reviewed on**, **What people are told**, **Reason**.",
            "The form of a withdrawal.",
        ),
        Step(
            "Write whose word it is under **Reference**, a day two weeks from now under **To be reviewed on**, choose **This "
            "item has been taken down while we look into a concern** and say why under **Reason**. Press **Withdraw now**.",
            (
                Write("Reference", "Letter of 20 November, no. 812"),
                Write("To be reviewed on", "", in_days=14),
                Tick("This item has been taken down while we look into a concern"),
                Write("Reason", "The estate disputes our right to show it."),
                Press("Withdraw now"),
            ),
            "the page of the collection, and **Restore…** where the way down was. Nobody sees it from this moment on, grants or "
            "not. Its rules stay as they were.",
            "The collection after it was withdrawn.",
        ),
        Step(
            "The concern is settled: follow **Restore…**, give the **Reason**, and press **Restore**.",
            (Follow("Restore…"), Write("Reason", "Settled with the estate."), Press("Restore")),
            "**Withdraw…** again. What governed it before counts at once.",
            "The collection after it was restored.",
        ),
    ),
    wrong=(
        (
            "You do not know yet what to answer.",
            "Withdraw first. The day of review is a reminder on the first page and in *Dates*; it restores nothing by itself.",
        ),
        (
            "Somebody still has it on their screen.",
            "What a browser has loaded is there; what it asks for next is refused. A copy that was kept can not be called back.",
        ),
        (
            "You want to be sure.",
            "On the page of an item follow *Test as public*: the server asks its own public addresses as a stranger would.",
        ),
    ),
)

SHEET = """Address,Own policy,Closed until,Shelf mark
/iiif/image/3/slide-11,merehaven-open,,LS 11
/iiif/image/3/slide-12,,2031-05-01,LS 12
/iiif/image/3/slide-13,,the day after the fair,LS 13
"""

TABLE = Task(
    slug="table",
    title="The yearly spreadsheet",
    when="Once a year a list of what is open, what is closed and until when comes back from a department or an agency.",
    needs="The role *Collection access manager* or *Rights officer*; single rows that are not yours are left out.",
    account="rights",
    jobs=(6,),
    steps=(
        Step(
            f"{FIRST} choose **Spreadsheets**.",
            (HOME, Follow("Spreadsheets")),
            "what the columns mean, and spreadsheets to fill in. An export of the list of resources has the same columns.",
            "The page of spreadsheets.",
        ),
        Step(
            "Choose the file under **Spreadsheet** and press **Send and look at it**.",
            (Send("Spreadsheet", "rights-2026.csv", SHEET), Press("Send and look at it")),
            "what each heading is taken for. **Shelf mark** is not known, and left out; nothing is guessed.",
            "Headings of the file, and what they stand for.",
        ),
        Step(
            "Press **Look at what would change**.",
            (Press("Look at what would change"),),
            "**Nothing is changed yet.** Under **Only changes (2)** what would be, from what to what; under **Only errors (1)** "
            "a sentence that says what is wrong with that row.",
            "What each row would do.",
        ),
        Step(
            "Say why under **Reason** and press **Apply 2 changes** (the button also says how many rows are left out).",
            (Write("Reason", "Yearly list of the slide department."), Press("Apply 2 changes")),
            "**Receipt (CSV)**: what became of every row, to keep with the list.",
            "What was done, with the receipt.",
        ),
        Step(
            "Something was wrong with the whole list? Give a **Reason** and press **Put all of it back**.",
            (Write("Reason", "It was last year's list."), Press("Put all of it back")),
            "everything as it was before: **put back**. This can be done for thirty days.",
        ),
    ),
    wrong=(
        (
            "Letters look wrong.",
            "Send it again and choose under *Letters* which they are; old programs do not write it into the file.",
        ),
        (
            "01/05/2031 might be May or January.",
            "You are asked once for the whole file, if its dates do not say it themselves.",
        ),
        (
            "Rows with errors.",
            "The others are applied. Correct the rows in your file and send it again: what is so already is left alone.",
        ),
    ),
)

PROVE = Task(
    slug="prove",
    title="Prove what was public, and when",
    when="Somebody claims that an item was open last year, or was not.",
    needs="The role *Rights officer* or *Access auditor*.",
    account="rights",
    jobs=(13, 11),
    steps=(
        Step(
            f"{FIRST} choose **History**.",
            (HOME, Follow("History")),
            "every change of a rule with its day, who made it, what it was before and after, and why.",
            "The history, newest first.",
        ),
        Step(
            "Write the name of the item or the collection into **Search** and press **Search**.",
            (Write("Search", "Modern pictures"), Press("Search")),
            "its changes only, among them the withdrawal of **Modern pictures** and its end.",
            "The history of one collection.",
        ),
        Step(
            "Open the line of the **first row**, by its day.",
            (Follow(NEWEST),),
            "**Before and after**, field by field. That and the receipts are the proof; no line is ever taken out of it.",
            "One change: before and after.",
        ),
    ),
    wrong=(
        (
            "You need to know what a stranger gets now.",
            "*Test as public* on the page of the item asks the real addresses and says what came back.",
        ),
        (
            "Nothing is found.",
            "The name at the time counts. Search for a part of it, or for the reason.",
        ),
        (
            "It should be put back.",
            "The page of a change has *Revert this change*: a further line, with your name and your reason.",
        ),
    ),
)

PERSON = Person(
    slug="rita",
    name="Rita, rights and permissions",
    about="Rita receives agreements and complaints, thinks in spreadsheets, and must be able to prove what was public when.",
    tasks=(EMBARGO, WITHDRAW, TABLE, PROVE),
)
