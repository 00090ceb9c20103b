"""The version of prpipeline."""

__version__ = "0.1.0"
