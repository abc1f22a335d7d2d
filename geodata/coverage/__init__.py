"""Coverage: who is supplied, who is reached, who competes for a place. One question, three measures."""
