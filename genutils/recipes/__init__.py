"""What the yardstick trains: one file a family, each with ``digits(seed)`` and ``plane(density, seed)``.

Both return a trained `genutils.model.Model`. A recipe sees training and validation data only, and stays within one
minute of one core.
"""
