# title: a generator streams its parts
# expect: right
# check: ["words('to be or not')", "words('a')"]
# %%
def words(text: str):
    for word in text.split():
        yield word + " "
# %%
bj.build("case", words, sample="one two three")
