# title: a package with relative imports, a subpackage and a data file
# expect: right
# check: ["predict('b')"]
# %%
from pathlib import Path
for path, text in {
    "shop/__init__.py": "from .prices import price\n",
    "shop/prices.py": "from .deep.table import TABLE\nfrom . import util\ndef price(name): return util.double(TABLE[name])\n",
    "shop/util.py": "def double(x): return x * 2\n",
    "shop/deep/__init__.py": "",
    "shop/deep/table.py": "import json\nfrom pathlib import Path\nTABLE = json.loads(Path(__file__).with_name('table.json').read_text())\n",
    "shop/deep/table.json": '{"a": 1, "b": 2.5}',
}.items():
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
# %%
import shop
def predict(name):
    return shop.price(name)
# %%
bj.build("case", predict, sample="a")
