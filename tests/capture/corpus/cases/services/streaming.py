# title: a service that streams, sync and async
# expect: right
# check: ["Stream().words('a b c')", "Stream().letters('xyz')"]
# %%
import asyncio, bentoml
from collections.abc import AsyncGenerator, Generator
@bentoml.service
class Stream:
    @bentoml.api
    def words(self, text: str) -> Generator[str, None, None]:
        for word in text.split():
            yield word + "\n"
    @bentoml.api
    async def letters(self, text: str) -> AsyncGenerator[str, None]:
        for letter in text:
            await asyncio.sleep(0)
            yield letter
# %%
bj.build("case", Stream, sample={"words": "to be", "letters": "ab"})
