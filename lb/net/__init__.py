"""asyncio building blocks that the shells share."""
