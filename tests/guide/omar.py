"""Omar, in the reading room."""

from __future__ import annotations

from tests.guide.script import Choose, Follow, Home, Person, Press, Step, Task, Tick, Write

HOME = Home()

GIVE = Task(
    slug="give",
    title="Give a researcher forty images until Friday",
    when="Somebody stands at the desk, or writes, and may see what is otherwise closed to them, for a few days.",
    needs="The role *Access desk* (or above) in the collection concerned.",
    account="desk",
    jobs=(7,),
    steps=(
        Step(
            "On the first page of **Access to IIIF content** choose **Resources**, and the collection at the side, **Customs "
            "ledgers**.",
            (HOME, Follow("Resources"), Follow("Customs ledgers")),
            "the forty pages of the **Customs ledger**, each with a sentence that says who may see it.",
            "The list of resources, filtered to one collection; each row says in words who may see it.",
        ),
        Step(
            "Tick the box at the head of the first column (**Select all**), choose **Give access until…** as the **Action**, and "
            "press **Go**.",
            (
                Tick("Select all"),
                Choose("Action", "Give access until…"),
                Press("Go"),
            ),
            "a form with the forty addresses in the field **Items**, so that nothing has to be copied.",
            "The form “Give access” with the addresses filled in.",
        ),
        Step(
            "Write the reader's user name under **Person** (an e-mail address, or a part that only one person has, will do "
            "too), choose **End of Friday** and say why under **Reason**. Then press **Give access**.",
            (
                Write("Person", "reader"),
                Tick("End of Friday"),
                Write("Reason", "Thesis on the salt trade; asked at the desk."),
                Press("Give access"),
            ),
            "**reader may see this:** and beneath it every page, with the day on which it ends. A tick says that the rules "
            "as they are now do let them in.",
            "What came of it: each page with its end and a tick.",
        ),
    ),
    wrong=(
        (
            "The reader has no account.",
            "Leave *Person* empty and write *Or an e-mail address without an account*. They are sent a link that works until "
            "the same day and can be taken back under *Invitations*.",
        ),
        (
            "“Here you may give access for 30 days at most.”",
            "Whoever delegated the collection to you set that limit. Choose an earlier end, or ask a rights officer.",
        ),
        (
            "A line says “Still closed to them”.",
            "Something stricter is laid over it: a withdrawal, or an embargo without exceptions. The sentence beside it says "
            "which; a grant does not open that.",
        ),
        (
            "It was the wrong person.",
            "*Grants* in the list on the left: tick them, *End now*. It counts from that moment.",
        ),
    ),
)

ANSWER = Task(
    slug="request",
    title="Answer a request",
    when="A reader filled in the form on the page that says why not, and confirmed their e-mail address.",
    needs="The role *Access desk* (or above) in the collection concerned.",
    account="desk",
    jobs=(15,),
    steps=(
        Step(
            "On the first page of **Access to IIIF content**, under “Today”, follow **1 request waits for an answer.**",
            (HOME, Follow("1 request waits for an answer.")),
            "the queue, with **Bram Okafor** in it.",
            "The queue of requests with the one that waits.",
        ),
        Step(
            "Open it by its reference, **C4DF-67**.",
            (Follow("C4DF-67"),),
            "what was asked for and why, the rule that closes it in words, and **What to do**.",
            "The request: item, reader, purpose, the policy in words, and what can be done.",
        ),
        Step(
            "Choose **End of Friday**, write a few friendly words under **A few words to the reader** and press **Approve**.",
            (
                Tick("End of Friday"),
                Write("A few words to the reader", "You are welcome. The page opens to you until Friday evening."),
                Press("Approve"),
            ),
            "the state **Approved** and, under **What they were given**, the grant with its end. The reader has an e-mail with "
            "a link.",
            "The request after it was approved.",
        ),
    ),
    wrong=(
        (
            "You do not know enough to decide.",
            "Open *Ask back*: the reader gets your question by e-mail, and the request waits for their answer.",
        ),
        (
            "You have to say no.",
            "Open *Refuse* and choose a text; a few words of your own may follow it.",
        ),
        (
            "“Waiting for a second approval.”",
            "The policy asks for two people. Somebody else has to approve it too; until then nothing is open.",
        ),
        (
            "The e-mail could not be sent.",
            "Nothing is given then, and the page says so. Try again, or tell whoever runs the site.",
        ),
    ),
)

MOVED = """[merehaven-reading-room] Merehaven reading room
192.0.2.0/28
2001:db8:1::/64
192.0.2.64/28
"""

NETWORK = Task(
    slug="network",
    title="A room's addresses have changed",
    when="The computers of a room got other addresses, and its readers are refused.",
    needs="The role *Access administrator*; a desk may look at the page and test addresses, and passes the change on.",
    account="systems",
    jobs=(9,),
    steps=(
        Step(
            "On the first page of **Access to IIIF content** choose **Places and addresses**.",
            (HOME, Follow("Places and addresses")),
            "all networks **As text**: a short name in brackets, the name, and under it one line for each range of addresses.",
            "The page of networks: every network as text.",
        ),
        Step(
            "Under “Where is an address?” write the address of one of the computers into **Addresses** and press **Test**.",
            (Write("Addresses", "192.0.2.70"), Press("Test")),
            "**none of the networks**: that is why it is refused.",
            "The test of an address: it is in none of the networks.",
            "#iiif-auth-test",
        ),
        Step(
            "In the field **Networks** put the new range on a line of its own under the room's name, write a **Reason**, and "
            "press **Save**. A network that you leave out stays as it is.",
            (Write("Networks", MOVED), Write("Reason", "The room has a second range since the move."), Press("Save")),
            "the text with the new line, and **Merehaven reading room** among the networks.",
            "The networks after saving.",
        ),
        Step(
            "Test the address once more: **Addresses**, then **Test**.",
            (Write("Addresses", "192.0.2.70"), Press("Test")),
            "**Merehaven reading room**. Its readers are let in from now on, without a restart.",
            "The same test: the address is in the reading room now.",
            "#iiif-auth-test",
        ),
    ),
    wrong=(
        (
            "“Please look at this” appears above.",
            "Two ranges overlap, or one is private and can not be seen from outside. It is a warning: read it, and decide.",
        ),
        (
            "A line is refused.",
            "Nothing was saved. The message names the line; correct it, and save again.",
        ),
        (
            "Readers are refused all the same.",
            "Further down, “Your own address as this site sees it” shows what a proxy makes of it. Open that page on one of "
            "the room's computers, and show it to your systems librarian.",
        ),
    ),
)

PERSON = Person(
    slug="omar",
    name="Omar, in the reading room",
    about=(
        "Omar supervises a reading room. He stands at a desk, knows the people in front of him, and has half a minute for "
        "each of them."
    ),
    tasks=(GIVE, ANSWER, NETWORK),
)
