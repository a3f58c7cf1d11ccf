"""Run the command in children of one process that has imported everything, to be killed there.

Importing torch takes most of a short run's time; forty runs to be killed would import it eighty
times. A child is a process like any other: SIGKILL leaves it no time to tidy up.

Modules that only some commands need are arguments. A line on stdin is {"words": [...],
"environment": {...}, "out": path, "err": path}; the answers are the child's number when it runs and
its exit status when it has ended.
"""

import importlib
import json
import os
import sys

from imrep.cli import main

EVERYTHING = [
    *("torch", "sklearn.cluster", "skimage.metrics", "cv2", "scipy.stats", "pyarrow.parquet"),
    *(
        "imrep.api",
        "imrep.comparison.state",
        "imrep.report",
        "imrep.embedding.vector_file",
        "imrep.cli.engine",
    ),
    *("imrep.cli.compare", "imrep.cli.embed", "imrep.cli.screen"),
]


def child(order):
    os.environ.update(order["environment"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(order[name], os.O_CREAT | os.O_TRUNC | os.O_WRONLY), number)
    sys.argv = ["imrep", *order["words"]]
    status = 1
    try:
        main(order["words"])
    except SystemExit as end:
        status = end.code or 0
    finally:
        sys.stdout.flush()
        os._exit(status)


def tell(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def serve():
    for name in [*EVERYTHING, *sys.argv[1:]]:
        importlib.import_module(name)
    tell("ready")
    for line in sys.stdin:
        order = json.loads(line)
        if not (number := os.fork()):
            child(order)
        tell(number)
        _, status = os.waitpid(number, 0)
        tell(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    serve()
