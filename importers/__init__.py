"""The room of sources: readers, mappings, checks, and the one loader that makes a version visible or nothing."""
