# title: a project module that reads a file of the working directory when imported
# expect: refused
# because: [options.json]
# %%
from pathlib import Path
Path("options.json").write_text('{"k": 3}')
Path("reads_cwd.py").write_text("import json\nK = json.load(open('options.json'))['k']\n")
# %%
import reads_cwd
def f(x): return x * reads_cwd.K
# %%
bj.build("case", f, sample=1)
