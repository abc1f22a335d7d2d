"""The pages: server-rendered, Jinja2 with autoescape, no request to any third party."""
