"""A network cable that can be pulled out: a TCP relay in front of the app."""

import asyncio
import time
from threading import Thread

_CHUNK = 1 << 16


class Cable:
    """Passes bytes between a port of its own and the app's, unless it is cut.

    Attributes:
        port: where listeners connect.
    """

    def __init__(self, port: int, to: int) -> None:
        self.port, self._to = port, to
        self._cut_until = 0.0
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        Thread(target=self._run, daemon=True).start()

    def cut(self, seconds: float) -> None:
        """Break every connection now, and take no new one for a while."""
        self._cut_until = max(self._cut_until, time.monotonic() + seconds)
        self._loop.call_soon_threadsafe(self._break)

    @property
    def is_cut(self) -> bool:
        """Whether nothing passes."""
        return time.monotonic() < self._cut_until

    def _break(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = asyncio.start_server(self._serve, "localhost", self.port, backlog=512)
        self._loop.run_until_complete(serving)
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("localhost", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        self._open -= {writer, back}

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(_CHUNK):
                target.write(data)
                await target.drain()
        except OSError:
            pass
        finally:
            target.close()
