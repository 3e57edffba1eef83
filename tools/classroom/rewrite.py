"""The command `feedback`: pages and grades once more from the gradebook, after grading by hand; nothing is run."""

from __future__ import annotations

import argparse

from tools.classroom import exchange
from tools.classroom.grade import grade
from tools.classroom.layout import Classroom


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="such as 04_entropy")
    exchange.add_argument(parser, "also give the pages back through")


def run(room: Classroom, args: argparse.Namespace) -> None:
    grade(room, args.lesson, execute=False)
    if args.exchange:
        exchange.give_back(room, room.lesson(args.lesson), args.exchange)
