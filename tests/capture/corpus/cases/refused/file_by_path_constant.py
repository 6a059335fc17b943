# title: a file of the notebook's folder by its absolute path
# expect: refused
# because: [vocabulary.json]
# %%
%%writefile vocabulary.json
{"a": 1}
# %%
import json
from pathlib import Path
WHERE = Path.cwd() / "vocabulary.json"
def look(word):
    return json.loads(WHERE.read_text()).get(word)
# %%
bj.build("case", look, sample="a")
