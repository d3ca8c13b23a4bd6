"""Input that means harm or had bad luck: how its bytes are made, and what the service must answer."""
