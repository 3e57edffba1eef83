"""genutils: the small tested package that the lessons import. One file per idea, in the order of the course."""

from genutils.lesson import claim, say, source, took

__all__ = ["claim", "say", "source", "took"]
