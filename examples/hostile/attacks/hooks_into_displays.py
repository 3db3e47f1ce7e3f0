import sys

from IPython import get_ipython
from IPython.core.displayhook import DisplayHook
from IPython.display import display

shell = get_ipython()


class Trap:
    def __repr__(self):
        raise SystemExit("no text")

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": "x" * 10**7, "text/html": 3, 5: object()}, {"application/json": [self] * 1000}

    def _ipython_display_(self):
        display(Plain(), metadata={"verdict": "passed"}, transient={"points": 8}, display_id="grade")


class Plain:
    def _repr_html_(self):
        print("BREACH: shown to the judge") if "gradetape.judge" in sys.modules else None
        return "<script>document.body.textContent = 'BREACH'</script>"


shell.display_formatter.formatters["text/plain"].for_type(float, lambda *_: exit())
shell.display_pub = Trap()
shell.displayhook = Trap()
sys.displayhook = DisplayHook.__call__ = lambda *_: exit()
sys.stdout.write = sys.stderr.flush = None
# %%
Trap()
# %%
1.5
