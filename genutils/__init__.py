"""genutils: the small tested package that the lessons import. One file per idea, in the order of the course."""

from genutils import threads

threads.limit()  # before numpy and torch come in, if it can be

from genutils.lesson import claim, say, source, took  # noqa: E402

__all__ = ["claim", "say", "source", "took"]
