# title: text out; bytes out
# expect: right
# check: ["Echo().text('ü\\n')", "Echo().raw('ü')"]
# %%
class Echo:
    def text(self, value: str) -> str:
        return value * 2
    def raw(self, value: str) -> bytes:
        return value.encode() + b"\x00\xff"
# %%
bj.build("case", Echo, sample={"text": "a", "raw": "b"})
