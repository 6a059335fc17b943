# title: async and generator methods of a class
# expect: right
# check: ["await Talk().later(3)", "Talk().count(3)"]
# %%
import asyncio
class Talk:
    async def later(self, x: int) -> int:
        await asyncio.sleep(0)
        return x + 1
    def count(self, n: int):
        for i in range(n):
            yield f"{i};"
# %%
bj.build("case", Talk, sample={"later": 1, "count": 2})
