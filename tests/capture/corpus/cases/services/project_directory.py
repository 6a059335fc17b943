# title: a project directory as bentoml build takes it
# expect: right
# proof: none
# check: ["twice(4)"]
# %%
from pathlib import Path
Path("shop").mkdir()
Path("shop/service.py").write_text('''
import bentoml
from rules import FACTOR
@bentoml.service
class Shop:
    @bentoml.api
    def twice(self, x: int) -> int:
        return x * FACTOR
''')
Path("shop/rules.py").write_text("FACTOR = 2\n")
Path("shop/bentofile.yaml").write_text("service: 'service:Shop'\ninclude: ['*.py']\n")
def twice(x): return x * 2
# %%
bj.build("case", Path("shop"), sample={"twice": 1})
