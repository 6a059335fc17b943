# title: an async function that awaits another
# expect: right
# check: ["await slow(4)"]
# %%
import asyncio
async def wait(x):
    await asyncio.sleep(0)
    return x
# %%
async def slow(x):
    a, b = await asyncio.gather(wait(x), wait(x + 1))
    return a * b
# %%
result = await slow(2)
# %%
bj.build("case", slow, sample=3)
