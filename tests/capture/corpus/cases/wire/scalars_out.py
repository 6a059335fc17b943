# title: answers of every JSON kind, and None
# expect: right
# check: ["answer('none')", "answer('int')", "answer('float')", "answer('nested')", "answer('empty')", "answer('big')", "answer('nan')", "answer('text')", "answer('bool')"]
# %%
VALUES = {"none": None, "int": 5, "float": 0.1, "bool": True, "nested": {"a": [1, {"b": None}], "ü": "✓"},
          "empty": [], "big": 2**80, "nan": float("nan"), "text": "line\n\"quoted\""}
def answer(kind: str):
    return VALUES[kind]
# %%
bj.build("case", answer, sample="nested")
