# title: a torch module defined in the notebook
# expect: right
# needs: torch
# check: ["net(torch.ones(3, 4))"]
# %%
import torch
from torch import nn
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, 3))
    def forward(self, x):
        return self.layers(x).softmax(dim=-1)
net = Net().eval()
# %%
bj.build("case", net, sample=torch.rand(2, 4))
