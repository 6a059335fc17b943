# title: print, logging and warnings in the function
# expect: right
# check: ["noisy(3)"]
# %%
import logging, warnings, sys
logger = logging.getLogger(__name__)
log = logging.getLogger("corpus.deep")
def noisy(x):
    print("working on", x)
    print("to stderr", file=sys.stderr)
    logger.warning("careful %s", x)
    log.info("info")
    warnings.warn("odd", UserWarning)
    return x * 2
# %%
bj.build("case", noisy, sample=1)
