# title: several statements on a line, continuation lines, tabs, a trailing comment, no newline at the end
# expect: right
# check: ["odd(3)"]
# %%
a = 1; b = 2; c = \
    3
def odd(x): y = x + a; z = y * b; return (z
        + c)  # end
if a:
	def tabbed(x):
		return x
# %%
bj.build("case", odd, sample=1)
