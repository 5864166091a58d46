"""Local twins of the providers: servers on loopback that behave as the real ones do, silent traps included."""
