# title: modules of the project that import each other
# expect: right
# check: ["f(3)"]
# %%
from pathlib import Path
Path("ping.py").write_text("import pong\ndef f(x): return 0 if x <= 0 else pong.g(x - 1) + 1\n")
Path("pong.py").write_text("import ping\ndef g(x): return 0 if x <= 0 else ping.f(x - 1) + 10\n")
# %%
import ping
def f(x): return ping.f(x)
# %%
bj.build("case", f, sample=2)
