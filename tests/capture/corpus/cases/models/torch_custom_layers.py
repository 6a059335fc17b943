# title: a torch module with layers of two cells, a buffer and a helper function, in a function with labels
# expect: right
# needs: torch
# check: ["classify([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 1.0]])"]
# %%
import torch
import torch.nn.functional as F
torch.manual_seed(0)
def squash(x): return F.gelu(x) * SCALE
SCALE = 0.5
class Gate(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = torch.nn.Linear(width, width)
        self.register_buffer("mean", torch.arange(float(width)))
    def forward(self, x): return squash(self.linear(x - self.mean))
# %%
class Stack(torch.nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.gates = torch.nn.ModuleList(Gate(width) for _ in range(depth))
        self.norm = torch.nn.BatchNorm1d(width)
        self.head = torch.nn.Linear(width, 2)
    def forward(self, x):
        for gate in self.gates: x = x + gate(x)
        return self.head(self.norm(x))
model = Stack(4, 2)
model(torch.rand(16, 4))
model.eval()
# %%
LABELS = ["no", "yes"]
@torch.no_grad()
def classify(rows: list[list[float]]) -> list[str]:
    return [LABELS[i] for i in model(torch.tensor(rows)).argmax(-1).tolist()]
# %%
bj.build("case", classify, sample=[[0.5, 0.5, 0.5, 0.5]])
