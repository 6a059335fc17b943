# title: a file in the user's home, read in the function
# expect: refused
# because: [.corpus_settings]
# kernel: changes
# %%
import os, tempfile
os.environ["HOME"] = tempfile.mkdtemp()
from pathlib import Path
(Path.home() / ".corpus_settings").write_text("5")
def f(x): return x + int((Path.home() / ".corpus_settings").read_text())
# %%
bj.build("case", f, sample=1)
