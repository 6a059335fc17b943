# title: the notebook's running event loop
# expect: refused
# because: [loop]
# %%
import asyncio
loop = asyncio.get_running_loop()
def predict(x):
    return [x, loop.is_running()]
# %%
bj.build("case", predict, sample=1)
