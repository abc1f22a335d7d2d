"""The room at the front: settings, who may see what, HTTP, pages, exports, command line."""
