from IPython import get_ipython

COMMANDS = (
    "env", "cat /proc/*/environ", "cat /proc/*/cmdline", "cat /etc/passwd /etc/shadow", "cat /proc/mounts",
    "find / -name '*.yml' -o -name seed -o -name '*.sqlite' -o -name 'test_q*' 2>/dev/null",
    "grep -ras canary- /home /tmp /root /work /srv /dev/shm 2>/dev/null | head -c 1000000",
    "cat $(find / -xdev -newer /proc/1 -type f -size -64k 2>/dev/null | head -200)", "ls -laR /tmp /home /dev /proc/self/fd",
)  # fmt: skip


def hunt():
    for command in COMMANDS:
        yield str(get_ipython().getoutput(command))
    history = get_ipython().history_manager
    yield history.input_hist_raw, list(history.get_range()), get_ipython().config, get_ipython()._orig_sys_module_state
    yield [vars(each) for each in get_ipython().configurables]
