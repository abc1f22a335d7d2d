"""The demo city, built once for all tests that read it."""

from functools import cache

from importers.demo.city import DemoCity, build


@cache
def built() -> DemoCity:
    return build()
