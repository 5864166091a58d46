"""Films as code: a YAML shot list, checked before a cent is spent, rendered at most once.

The rooms, from the roof to the ground: a module imports only from rows below its own, and `tests/test_layers.py`
sees to it. The modules of a package are one room::

    cli                                                   the command line
    commands                                              one command, one module
    conduct rehearsal                                     a run from its first signal to its last
    summary                                               the last words of a run
    clearance portion                                     what must be in order before anything is sent
    engine project sandbox                                a run, a list opened for a command, the twins
    run                                                   what a run is given
    remote landing drawer                                 a take at its provider, a clip at its place
    download ingredients desk
    studio ledger hold progress crash plan_table http journal site history
    resolve selection folder catalogue lanes
    animatic plan drafting store                          clips, and what would be done for them, and why
    budget unfold check inputs account outputs trust state difference delivered
    lock stills scope shotlist phrases                    the languages that we read and write
    shape schema prompt providers console media picture
    shot                                                  values
    document take schedule events wire pacing
    capability errors fingerprint graph syntax scalar
    diagnostic                                            what can be wrong
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
