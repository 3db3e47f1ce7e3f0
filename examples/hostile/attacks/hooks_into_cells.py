import time

from IPython import get_ipython

shell = get_ipython()


def answers(*_):
    shell.user_ns.update(double=lambda x: None)
    exit()


class Rewrites:
    def visit(self, node):
        node.body = node.body * 3
        return node


for event in ("pre_execute", "pre_run_cell", "post_execute", "post_run_cell"):
    shell.events.register(event, answers)
shell.ast_transformers.append(Rewrites())
shell.input_transformers_cleanup.append(lambda lines: ["import os\n", "os.environ['OWNED'] = '1'\n", *lines])
shell.input_transformers_post.append(lambda lines: time.sleep(1) or lines)
shell.set_custom_exc((Exception,), lambda *_: exit())
shell.compile.ast_parse = None
# %%
raise ValueError("who shows this?")
