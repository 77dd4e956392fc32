"""Makes each call of a JSON list of expressions (stdin) in a process of its own; prints how each ended, as a JSON list of words."""

import json
import os
import resource
import signal
import sys

import torch


def ending(expression):
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.alarm(10)
        torch.set_num_threads(1)
        try:
            eval(expression)
        except BaseException as error:
            print(type(error).__name__, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "exit"


# What overwrites memory does not always hit something that matters: three tries.
print(json.dumps([next((x for x in (ending(e) for _ in range(3)) if x != "exit"), "exit") for e in json.load(sys.stdin)]))
