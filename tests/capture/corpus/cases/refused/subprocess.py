# title: a child process in a global
# expect: refused
# because: [child]
# %%
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "pass"])
child.wait()
def predict(x):
    return x + child.returncode
# %%
bj.build("case", predict, sample=1)
