# title: a closure that calls another closure and itself
# expect: right
# check: [countdown(3)]
# %%
def outer(prefix):
    def label(n):
        return f"{prefix}{n}"
    def countdown(n):
        return [label(n)] + (countdown(n - 1) if n else [])
    return countdown
countdown = outer("#")
# %%
bj.build("case", countdown, sample=1)
