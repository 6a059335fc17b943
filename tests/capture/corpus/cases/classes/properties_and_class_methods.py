# title: properties, class methods, static methods, nested classes, operators
# expect: right
# check: ["run(3)"]
# %%
class Money:
    currency = "EUR"
    class Format:
        places = 2
    def __init__(self, cents): self._cents = cents
    @classmethod
    def of(cls, euros): return cls(round(euros * 100))
    @staticmethod
    def sign(x): return (x > 0) - (x < 0)
    @property
    def euros(self): return self._cents / 100
    @euros.setter
    def euros(self, value): self._cents = round(value * 100)
    def __add__(self, other): return Money(self._cents + other._cents)
    def __eq__(self, other): return self._cents == other._cents
    def __hash__(self): return hash(self._cents)
    def __repr__(self): return f"{self.euros:.{self.Format.places}f} {self.currency}"
def run(x):
    money = Money.of(x) + Money.of(1)
    money.euros = money.euros * 2
    return [repr(money), Money.sign(-x), money == Money.of(2 * x + 2), len({money, Money.of(2 * x + 2)})]
# %%
bj.build("case", run, sample=1)
