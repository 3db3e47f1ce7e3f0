from IPython import get_ipython
from IPython.core.magic import register_cell_magic, register_line_cell_magic, register_line_magic


@register_line_cell_magic
def time(line, cell=None):
    return cell or line


@register_cell_magic
def capture(line, cell):
    raise SystemExit(cell)


@register_line_magic
def pip(line):
    while True:
        pass


get_ipython().magics_manager.magics["line"].update(load_ext=exit, timeit=None)
get_ipython().magics_manager.magics["cell"].update(writefile=len, bash=None)
get_ipython().magics_manager.find = None
get_ipython()._find_with_lazy_load = lambda kind, name: lambda *_: print(f"BREACH: {kind} {name}") if kind == "judge" else 1
# %%
%time double = lambda x: x
# %%
%%capture told
def total(x):
    return 0
# %%
%%writefile helpers.py
x = 1
