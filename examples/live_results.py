"""Results as they are published, inside an event loop, as in a notebook.

python examples/live_results.py localhost:9092 10

In a notebook cell the loop of `watch` is all there is: `async for` at the top, or a plain `for`, which works there too.
"""

import asyncio
import sys

from sensor_means import means


async def watch(broker: str, count: int) -> list[float]:
    """The means of the next results; leaving the loop ends the reading."""
    found: list[float] = []
    async with means.results(broker, follow=True) as results:
        async for row in results:
            print(row["sensor"], row["window_start"], row["mean"])
            found.append(row["mean"])
            if len(found) == count:
                break
    return found


if __name__ == "__main__":
    asyncio.run(watch(sys.argv[1], int(sys.argv[2])))
