# title: a torch module with dropout that was left in training mode answers differently each time
# expect: refused
# because: [train]
# needs: torch
# kernel: changes
# %%
import torch
net = torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.Dropout(0.5), torch.nn.Linear(64, 2))
# %%
bj.build("case", net, sample=torch.rand(2, 4))
