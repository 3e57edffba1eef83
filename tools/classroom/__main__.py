"""``python -m tools.classroom release 04_entropy``, ``... grade 04_entropy``; without a command, the list of them.

A command is a module with ``add_arguments(parser)`` and ``run(room, args)``, which returns an exit status or nothing.
Only the module of the command that is asked for is imported.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from tools.classroom.layout import Classroom, Problem

# command -> its module, and what it does
COMMANDS = {
    "release": ("release", "assemble the assignment that students get"),
    "collect": ("incoming", "put a download from Moodle, Canvas, Brightspace or an exchange where grading finds it"),
    "grade": ("grade", "grade every submission; safe to repeat"),
    "formgrader": ("formgrader", "open nbgrader's Formgrader on a lesson, to read and score answers in words"),
    "regrade": ("regrade", "take today's checks into a release and grade again; --dry-run says whose score changes"),
    "feedback": ("rewrite", "after manual grading: feedback pages and grades.csv, without running anything"),
    "essays": ("essays", "answers in words on one page, question by question; points from a csv file"),
    "statistics": ("statistics", "pass rates, commonest hints, points, days"),
    "similarity": ("similarity", "which answers are more alike than chance explains, for a person to judge"),
    "export": ("export", "write the grades as Canvas, Moodle or a spreadsheet take them"),
    "requests": ("requests", "list what students ask to have graded again, and note what was answered"),
}
PROGRAM = "python -m tools.classroom"


def main(argv: list[str] | None = None) -> int:
    what = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Release a lesson to a class, grade what comes back.",
        epilog="\n".join(f"{name:10}  {says}" for name, (_, says) in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what.add_argument(
        "--classroom", metavar="PATH", help="the instructor's folder (default: $CLASSROOM, else classroom/)"
    )
    what.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below; COMMAND -h says more")
    what.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="what the command takes")
    args = what.parse_args(argv)

    module, says = COMMANDS[args.command]
    command = importlib.import_module(f"tools.classroom.{module}")
    how = argparse.ArgumentParser(prog=f"{PROGRAM} {args.command}", description=says)
    command.add_arguments(how)
    try:
        return command.run(Classroom(folder=args.classroom), how.parse_args(args.rest)) or 0
    except Problem as problem:
        print(f"classroom: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("classroom: stopped; what was done so far is kept, and the command can be run again.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
