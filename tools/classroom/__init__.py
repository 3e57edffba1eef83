"""The classroom: release a lesson as an assignment, grade what comes back, write feedback. See book/for_instructors.md.

Students' code never decides about points: it runs in a notebook kernel, its functions are carried out of there as
bytes, and a checker that shares no memory with them asks them questions (`verify`, `isolation`).
"""
