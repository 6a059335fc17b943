# title: temporary files, a child process and threads inside the function
# expect: right
# check: ["f(3)"]
# %%
import subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
def square(x): return x * x
def f(x):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_text(str(x))
        said = subprocess.run([sys.executable, "-c", f"print({x} + 1)"], capture_output=True, text=True).stdout
        with ThreadPoolExecutor(2) as pool:
            return [path.read_text(), int(said), list(pool.map(square, range(x)))]
# %%
bj.build("case", f, sample=2)
