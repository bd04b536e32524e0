"""As much of aiosqlite as notebooks 09 and 11 use, where there are no OS threads: in a browser.

The real one works in an OS thread, so that an `await` leaves the loop free. Here sqlite works on the loop.
"""

import sqlite3


class connect:  # its name there
    def __init__(self, path):
        self.path = path

    async def __aenter__(self):
        self.connection = sqlite3.connect(self.path)
        return self

    async def __aexit__(self, *error):
        self.connection.close()

    def __await__(self):
        return self.__aenter__().__await__()

    async def close(self):
        self.connection.close()

    async def execute(self, query, values=()):
        return self.connection.execute(query, values)

    async def executemany(self, query, rows):
        return self.connection.executemany(query, rows)

    async def execute_fetchall(self, query, values=()):
        return self.connection.execute(query, values).fetchall()

    async def commit(self):
        self.connection.commit()
