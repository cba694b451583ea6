"""Where the program cannot run. Locks that outlive no process, files that no link leads away from, folders that are flushed and workers
that are forked from a server are Unix; without them it could not promise that nothing is declared twice."""

import sys

EXIT_CONFIGURATION = 78
_SAID = (
    "aggregator does not run on Windows itself: run it in WSL (wsl --install) or in a Linux container, where it is the same. "
    "aggregator 不能直接在 Windows 上运行：请在 WSL（wsl --install）或 Linux 容器中运行。\n"
)


def refuse_windows(platform: str) -> None:
    if platform == "win32":
        if sys.stderr is not None:
            # Consoles there may know no Chinese.
            sys.stderr.buffer.write(_SAID.encode(sys.stderr.encoding or "utf-8", "replace"))
        raise SystemExit(EXIT_CONFIGURATION)
