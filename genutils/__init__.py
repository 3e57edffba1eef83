"""genutils: the small tested package that the lessons import. One file per idea, in the order of the course."""

from genutils.lesson import claim, cost, say, source

__all__ = ["claim", "cost", "say", "source"]
