# title: a module from a folder that was put on sys.path
# expect: right
# check: ["predict(4)"]
# %%
import sys, tempfile
from pathlib import Path
lib = Path(tempfile.mkdtemp()) / "src"
lib.mkdir()
(lib / "shared_code.py").write_text("import shared_more\ndef f(x): return shared_more.g(x) + 1\n")
(lib / "shared_more.py").write_text("def g(x): return x * 10\n")
sys.path.insert(0, str(lib))
# %%
from shared_code import f
def predict(x):
    return f(x)
# %%
bj.build("case", predict, sample=1)
