# title: a tensor in and out of a function
# expect: either
# because: [Tensor]
# needs: torch
# check: ["scale(torch.arange(4.0))"]
# %%
import torch
def scale(v):
    return v * 2
# %%
bj.build("case", scale, sample=torch.ones(3))
