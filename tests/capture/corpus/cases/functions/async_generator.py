# title: an async generator with a helper streams its parts
# expect: right
# check: ["letters('xyz')"]
# %%
import asyncio
SEP = "\n"
async def letters(text: str):
    for letter in text:
        await asyncio.sleep(0)
        yield letter + SEP
# %%
bj.build("case", letters, sample="abc")
