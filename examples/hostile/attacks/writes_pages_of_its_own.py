# <script>alert(1)</script> \x1b[2J ' OR 1=1; DROP TABLE attempts; --
import sys

HTML = "<script>alert('owned')</script><img src=x onerror=alert(1)>\"'></pre></td><!-- {{7*7}} {% raw %} [bold red]x[/bold red]"
TERMINAL = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b2J\x08\x08\r\u202egnp.exe\u2066\u200b\ufeff\ud800\0"
FORMULA = '=cmd|"/c calc"!A1\n+1+1\n@SUM(1)\t-2'
print(HTML, TERMINAL, FORMULA, sep="\n")
print("x" * 10**6)


class Error(Exception):
    pass


Error.__name__ = HTML
Error.__qualname__ = TERMINAL


def double(x):
    print(HTML, TERMINAL, FORMULA)
    if type(x) is int:
        raise Error(HTML + TERMINAL + FORMULA)
    return HTML + TERMINAL + FORMULA


class Scale:
    def __init__(self, factor):
        raise KeyError(HTML, TERMINAL)


def total(x):
    return HTML + TERMINAL


# %%
raise Error(HTML + TERMINAL + FORMULA)
