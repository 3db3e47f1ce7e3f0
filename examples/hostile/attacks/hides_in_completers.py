from IPython import get_ipython

shell = get_ipython()


class Trap:
    def __dir__(self):
        while True:
            pass

    __getattr__ = __getitem__ = _ipython_key_completions_ = __dir__


def hang(*_):
    while True:
        pass


trap = Trap()
shell.set_custom_completer(hang)
shell.set_hook("complete_command", hang, re_key=".*")
shell.Completer.python_matches = shell.complete = hang
shell.inspector = shell.history_manager.get_range = shell.ask_yes_no = hang
shell.push({"__all__": trap, "__dir__": hang, "In": trap, "_": trap, "_oh": trap}, interactive=False)
