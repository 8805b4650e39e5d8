"""Ask both programs the same questions, millions of times: ``python -m tests.reference.campaign --cases 10000000``.

Exit status 0: no difference, and every branch was reached. 1: a difference, printed with the ``--only`` that asks it
again. 2: some reason or kind of decision was never reached, so the campaign proves too little.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date
from multiprocessing import Pool
from pprint import pformat

from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed, Denied, Why
from tests.reference import model
from tests.reference.cases import ASKED, block

BLOCKS = 400
"""Offers in one piece of work."""
ENOUGH = 100_000
"""Cases after which every reason must have been seen."""
MARKS = ("allowed", "allowed, take", "unknown", "remedies", "opens", "substitute", "controlled", "note")
MUST = {*MARKS, *(f"denied: {why}" for why in Why)}


def said(decision):
    """A decision as the tuple that the model gives."""
    match decision:
        case Allowed():
            return "allowed", decision.rendition.uri, decision.take
        case Denied():
            opens = decision.opens and decision.opens.astimezone(UTC)
            help_ = tuple(service.slug for service in decision.remedies)
            instead = tuple((s.rendition.uri, s.offer and others(s.offer)) for s in decision.substitutes)
            note = decision.text.heading if decision.text else None
            return "denied", decision.rendition.uri, decision.why.value, opens, help_, instead, note
        case _:
            return ("unknown",)


def decided(offer, subject, at):
    """What decide() says; an exception is an answer too, and never the right one."""
    try:
        return said(decide(offer, subject, at))
    except Exception as error:
        return "error", repr(error)


def others(offer):
    return tuple(other.uri for other in offer.others)


def marks(answer):
    """What a case has reached."""
    if answer[0] != "denied":
        return ("allowed, take",) if answer[-1] is True else (answer[0],)
    _, _, why, opens, help_, instead, note = answer
    reached = ("remedies", help_), ("opens", opens), ("note", note)
    reached += tuple(("controlled" if held is not None else "substitute", True) for _, held in instead)
    return f"denied: {why}", *(name for name, there in reached if there)


def compare(seed, numbers):
    """(cases, what they reached, the first difference as index, decision and model's answer, if any)."""
    reached, cases = Counter(), 0
    for number in numbers:
        offer, questions = block(seed, number)
        for index, (subject, at) in enumerate(questions, number * ASKED):
            cases += 1
            one, two = decided(offer, subject, at), model.answer(offer, subject, at)
            if one != two:
                return cases, reached, (index, one, two)
            reached.update(marks(two))
    return cases, reached, None


def piece(work):
    return compare(*work)


def run(seed, cases, jobs):
    """Compare them all; stop at the first difference."""
    blocks = -(-cases // ASKED)
    work = [(seed, range(first, min(first + BLOCKS, blocks))) for first in range(0, blocks, BLOCKS)]
    reached, done, began = Counter(), 0, time.monotonic()
    with Pool(jobs) as pool:
        for count, marks_, difference in pool.imap_unordered(piece, work):
            done += count
            reached.update(marks_)
            tell(done, cases, time.monotonic() - began)
            if difference:
                return done, reached, difference
    return done, reached, None


def tell(done, cases, seconds):
    speed = done / max(seconds, 0.001)
    left = max(cases - done, 0) / speed
    sys.stderr.write(f"\r{done:>11,} cases  {speed:>8,.0f}/s  {left / 60:5.1f} min left ")
    sys.stderr.flush()


def plain(value):
    """A value with what differs from its defaults, to be read."""
    if is_dataclass(value):
        told = {f.name: getattr(value, f.name) for f in fields(value)}
        told = {f.name: plain(told[f.name]) for f in fields(value) if f.default is MISSING or told[f.name] != f.default}
        return {"is": type(value).__name__, **told}
    if isinstance(value, date):
        return str(value)
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


def show(seed, index):
    """One case in full; whether the two differ."""
    offer, questions = block(seed, index // ASKED)
    subject, at = questions[index % ASKED]
    one, two = decided(offer, subject, at), model.answer(offer, subject, at)
    for name, value in (("offer", offer), ("subject", subject), ("at", at), ("decide", one), ("model ", two)):
        print(f"\n{name}:\n{pformat(plain(value), width=120, sort_dicts=False)}")
    return one != two


def report(done, reached):
    print(f"\n{done:,} cases, no difference")
    for name in sorted(MUST | set(reached)):
        print(f"  {name:<24}{reached[name]:>12,}")
    missed = sorted(name for name in MUST if not reached[name])
    if missed and done >= ENOUGH:
        print("never reached: " + ", ".join(missed))
        return 2
    return 0


def main(args=None):
    parser = argparse.ArgumentParser(prog="python -m tests.reference.campaign", description=__doc__)
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int, metavar="N", help="show this one case and compare it")
    options = parser.parse_args(args)
    if options.only is not None:
        return int(show(options.seed, options.only))
    done, reached, difference = run(options.seed, options.cases, options.jobs)
    if difference:
        index, one, two = difference
        print(f"\nThey differ. decide: {one}\n             model:  {two}")
        print(f"python -m tests.reference.campaign --seed {options.seed} --only {index}")
        return 1
    return report(done, reached)


if __name__ == "__main__":
    sys.exit(main())
