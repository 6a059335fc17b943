# title: an answer that is a number for one input and a text or None for others
# expect: right
# check: ["first('12')", "first('abc')", "first('')", "first('1.5')"]
# %%
def first(text: str):
    if not text: return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return {"text": text}
# %%
bj.build("case", first, sample="7")
