"""Runs steps: each a program with a time limit, some side by side, some alone."""
import glob
import os
import queue
import select
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import Callable, Optional


@dataclass(frozen=True)
class Count:
    """What one step found: how many single tests passed, failed and were skipped."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Step:
    name: str
    command: list
    limit_s: float = 120
    alone: bool = False  # nothing runs beside it
    waits: bool = False  # mostly for its servers: a few of its kind run side by side, and nothing that computes
    cost_s: float = 0  # about how long it takes: the longest begin first, so that none is waited for alone
    environment: dict = field(default_factory=dict)
    folder: Optional[str] = None
    # Exit status and output -> what is counted. Without one, a step is a single test.
    count: Optional[Callable[[int, str], Count]] = None
    # Leaves of an output what helps to understand a failure.
    shorten: Callable[[str], str] = str
    skip: str = ""  # why it cannot be run yet; it is then counted as skipped, and said so


@dataclass(frozen=True)
class Result:
    step: Step
    count: Count
    seconds: float
    output: str
    why: str = ""  # what was wrong beyond the output

    @property
    def failed(self):
        return self.count.failed > 0


def whole(status, output):
    return Count(passed=1) if status == 0 else Count(failed=1)


GRACE_S = 10  # for a program that is told to stop, to put away what it started
children = set()  # the processes under way, each the leader of a group of its own
starting = threading.Lock()  # held from the start of a process until it is in `children`
stopped = threading.Event()  # no further one is started


def signal_group(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def left_behind(group):
    """The processes of that group that go on living, though its leader has ended."""
    names = []
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat, encoding="utf-8", errors="replace") as file:
                head, _, tail = file.read().rpartition(")")
            if int(tail.split()[2]) == group and not gone(int(head.split()[0])):
                names.append(head.partition("(")[2])
        except OSError:
            pass  # it ended meanwhile
    return names


def gone(pid, within_s=1.0):
    """True as soon as that process has ended (it may be told to already)."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return True
    try:
        return bool(select.select([descriptor], [], [], within_s)[0])
    finally:
        os.close(descriptor)


def stop(processes):
    for process in processes:
        signal_group(process, signal.SIGTERM)
    end = time.monotonic() + GRACE_S
    for process in processes:
        try:
            process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        signal_group(process, signal.SIGKILL)


def stop_all():
    """For a run that is interrupted: nothing that it started is left."""
    with starting:
        stopped.set()
    stop(list(children))


def start(step, out):
    with starting:
        if stopped.is_set():
            raise InterruptedError("the run was interrupted")
        process = subprocess.Popen(step.command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                   cwd=step.folder, env={**os.environ, **step.environment}, start_new_session=True)
        children.add(process)
        return process


def run(step):
    """Runs one step to its end or its limit, with nothing on its standard input and no terminal."""
    if step.skip:
        return Result(step, Count(skipped=1), 0.0, "", step.skip)
    begin = time.monotonic()
    with tempfile.TemporaryFile() as out:
        try:
            process = start(step, out)
        except OSError as error:
            return Result(step, Count(failed=1), 0.0, "", f"could not be started: {error}")
        try:
            status = process.wait(step.limit_s)
            why = "" if status == 0 else f"exit status {status}"
            if status < 0:
                why = f"ended by signal {signal.Signals(-status).name}"
            left = left_behind(process.pid)
            if left:
                status, why = status or 1, f"{why}, " * bool(why) + f"left running: {', '.join(left)}"
        except subprocess.TimeoutExpired:
            stop([process])
            status, why = 1, f"hung: stopped at its limit of {step.limit_s:.0f} s"
        signal_group(process, signal.SIGKILL)
        children.discard(process)
        seconds = time.monotonic() - begin
        out.seek(0)
        output = out.read().decode("utf-8", "replace")
    return judged(step, status, why, output, seconds)


def judged(step, status, why, output, seconds):
    count = (step.count or whole)(status, output)
    if status != 0 and count.failed == 0:
        count = Count(count.passed, 1, count.skipped)
    if count.passed + count.failed + count.skipped == 0:
        count, why = Count(failed=1), "ran no test at all"
    return Result(step, count, seconds, step.shorten(output), why if count.failed else "")


WAITING_SIDE_BY_SIDE = 6  # each with up to half a dozen servers, that must not starve: they would fail over for real


def run_all(steps, view):
    """First what computes, as many as there are processors; then what waits; then, one by one, what must be alone."""
    longest_first = sorted(steps, key=lambda step: -step.cost_s)
    computing = [step for step in longest_first if not step.alone and not step.waits]
    waiting = [step for step in longest_first if step.waits and not step.alone]
    results = run_together(computing, os.cpu_count() or 1, view)
    results += run_together(waiting, WAITING_SIDE_BY_SIDE, view)
    for step in steps:
        if step.alone:
            results += run_together([step], 1, view)
    return results


def run_together(together, side_by_side, view):
    results = []
    waiting = queue.SimpleQueue()
    for step in together:
        waiting.put(step)
    done = queue.SimpleQueue()

    def work():
        while True:
            try:
                step = waiting.get_nowait()
            except queue.Empty:
                return
            view.started(step)
            done.put(run(step))

    workers = [threading.Thread(target=work, daemon=True) for _ in range(min(side_by_side, len(together)))]
    for worker in workers:
        worker.start()
    for _ in together:
        results.append(await_next(done, view))
    for worker in workers:
        worker.join()
    return results


def await_next(done, view):
    while True:
        try:
            result = done.get(timeout=1)
        except queue.Empty:
            view.still_running()
            continue
        view.finished(result)
        return result
