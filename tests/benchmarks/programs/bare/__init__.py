"""The same work in asyncio alone, as one would write it by hand.

No hooks, no handlers, nobody who can be asked what is running: what a library costs is seen
beside these.
"""
