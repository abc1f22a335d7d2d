"""Benchmarks: measured against a named peer in the same run. They print figures and never decide a test."""
