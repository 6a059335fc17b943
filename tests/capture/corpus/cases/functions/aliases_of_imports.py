# title: imports under other names, from-imports, submodule chains
# expect: right
# check: ["stats([1.0, 2.0, 4.0])"]
# %%
import numpy as banana
import os.path
import collections.abc as cabc
from math import sqrt as root, pi
import xml.etree.ElementTree as ET
import scipy.stats
# %%
def stats(values):
    tree = ET.fromstring("<a><b>5</b></a>")
    return {
        "mean": float(banana.mean(values)), "root": root(values[-1]), "pi": pi,
        "joined": os.path.join("a", "b"), "sequence": isinstance(values, cabc.Sequence),
        "b": int(tree.find("b").text), "norm": float(scipy.stats.norm.cdf(0.0)),
        "linalg": float(banana.linalg.norm([3.0, 4.0])),
    }
# %%
bj.build("case", stats, sample=[1.0, 9.0])
