"""The one player of this computer's sound device, for everybody who uses it in this process."""

from threading import Lock

from listening_test.lab import Player, load

_lock = Lock()
_players: list[Player] = []  # none or one


def shared_player() -> Player:
    """The player with the laboratory's settings as they are now.

    Raises:
        LabError: the settings cannot be read.
    """
    settings = load()
    with _lock:
        if _players and _players[0].settings != settings:
            _players.pop().close()
        if not _players:
            _players.append(Player(settings))
        return _players[0]
