"""The HTTP API: routes only wire parameters, one question of ``geodata`` and its delivery."""
