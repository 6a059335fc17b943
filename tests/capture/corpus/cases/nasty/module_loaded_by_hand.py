# title: a module loaded with importlib.util from a path, not in sys.modules
# expect: either
# check: ["f(3)"]
# because: [plugin]
# %%
import importlib.util, tempfile
from pathlib import Path
path = Path(tempfile.mkdtemp()) / "plugin_code.py"
path.write_text("BASE = 40\ndef g(x): return x + BASE\n")
spec = importlib.util.spec_from_file_location("plugin", path)
plugin = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plugin)
def f(x): return plugin.g(x)
# %%
bj.build("case", f, sample=1)
