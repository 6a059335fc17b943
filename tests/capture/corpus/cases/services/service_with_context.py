# title: a service that asks for the request's context, routes of its own and an asgi app
# expect: right
# check: ["Ctx().echo('x')"]
# %%
import bentoml
@bentoml.service(name="named_otherwise", resources={"cpu": "1"})
class Ctx:
    @bentoml.api(route="/v1/echo")
    def echo(self, text: str) -> dict:
        return {"text": text}
# %%
bj.build("case", Ctx, sample={"echo": "hello"})
