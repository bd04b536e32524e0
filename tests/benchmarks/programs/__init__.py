"""The programs that are measured: `threads` (ours and the reference's), and `bare` asyncio."""
