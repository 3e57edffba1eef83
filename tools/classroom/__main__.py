"""``python -m tools.classroom release 04_entropy``, ``... grade 04_entropy``, ``... feedback 04_entropy``."""

from __future__ import annotations

import argparse
import sys

from tools.classroom.layout import Classroom, Problem


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.classroom", description="Release a lesson to a class, grade what comes back."
    )
    parser.add_argument(
        "--classroom", metavar="PATH", help="the instructor's folder (default: $CLASSROOM, else classroom/)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    release = commands.add_parser("release", help="assemble the assignment that students get")
    release.add_argument(
        "--force", action="store_true", help="release again although students have handed in (same hidden seeds)"
    )
    release.add_argument("--new-seeds", action="store_true", help="draw new hidden seeds")
    release.add_argument("--no-validate", action="store_true", help="do not run the solved lesson first")
    grade = commands.add_parser("grade", help="grade every submission; safe to repeat")
    grade.add_argument("--timeout", type=int, default=60, metavar="S", help="seconds for one cell (default 60)")
    grade.add_argument("--workers", type=int, default=2, help="submissions graded at the same time (default 2)")
    grade.add_argument("--student", action="append", metavar="NAME", help="only this student (may be repeated)")
    feedback = commands.add_parser(
        "feedback", help="after manual grading: feedback pages and grades.csv, without running anything"
    )
    for command in (release, grade, feedback):
        command.add_argument("lesson", help="such as 04_entropy")
    args = parser.parse_args(argv)
    try:
        room = Classroom(folder=args.classroom)
        if args.command == "release":
            from tools.classroom.release import release as run

            run(room, args.lesson, force=args.force, new_seeds=args.new_seeds, validate=not args.no_validate)
        else:
            from tools.classroom.grade import grade as run
            from tools.classroom.workers import Limits

            if args.command == "grade":
                if args.timeout < 1 or args.workers < 1:
                    raise Problem("--timeout and --workers are at least 1.")
                limits = Limits(timeout=args.timeout)
                run(room, args.lesson, students=args.student, limits=limits, at_a_time=args.workers)
            else:
                run(room, args.lesson, execute=False)
    except Problem as problem:
        print(f"classroom: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("classroom: stopped; what was graded so far is kept, and the command can be run again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
