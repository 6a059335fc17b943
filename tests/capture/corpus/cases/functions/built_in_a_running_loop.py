# title: the build is called from a coroutine of the notebook, in the running loop
# expect: right
# check: ["await slow(4)"]
# %%
import asyncio
async def slow(x):
    await asyncio.sleep(0)
    return x + 1
async def make():
    return bj.build("case", slow, sample=3)
# %%
built = await make()
