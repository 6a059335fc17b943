# title: a function out of a script that was run with %run
# expect: right
# check: [greet("you")]
# %%
%%writefile greeting.py
import string
WORD = "Hello"
def punctuation():
    return string.punctuation[0]
def greet(name):
    return f"{WORD}, {name}{punctuation()}"
if __name__ == "__main__":
    print(greet("script"))
# %%
%run greeting.py
# %%
bj.build("case", greet, sample="me")
