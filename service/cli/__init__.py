"""The command line ``sozialraumkarte``."""

from service.cli.main import main

__all__ = ["main"]
