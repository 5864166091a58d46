"""Films as code: a YAML shot list, checked before a cent is spent, rendered at most once.

The rooms, from the ground up (a module imports only from rows below it)::

    cli                                                        the command line
    commands                                                   one command, one module
    engine                                                     the nursery that renders
    store media picture animatic progress events hold          what touches the world
    plan resolve graph selection check providers               what would be done, and why
    lock prompt schema capability budget                       the languages we read and write
    take fingerprint shot document                             values
    diagnostic errors                                          what can be wrong
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
