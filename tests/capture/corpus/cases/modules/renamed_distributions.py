# title: libraries whose import name is not that of their distribution
# expect: right
# check: ["predict('a: [1, 2]')"]
# plan: [PyYAML]
# %%
import yaml, dateutil.parser
def predict(text):
    return [yaml.safe_load(text), dateutil.parser.parse("2024-01-02").year]
# %%
bj.build("case", predict, sample="b: 1")
