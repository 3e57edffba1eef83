"""The classroom: release a lesson as an assignment, grade what comes back, write feedback. See book/for_instructors.md.

Students' code never decides about points. A parent that has everything imported (`warm`) forks a session for each
submission; that forks a box (`sandbox`, `namespaces`) in which the cells run (`notebook`) and each answer stays where
it is (`answer`), to be questioned over a line (`wire`, `handover`, `remote`) by the session, the `judge`.
"""
