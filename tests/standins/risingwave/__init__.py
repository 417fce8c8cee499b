"""A stand-in for RisingWave 3.0.3, see __main__.py."""
