"""What is shown while tests run: a line for each step as it ends, the output of those that failed, and the sum."""
import threading
import time

QUIET_S = 30  # into a log: say what is running when nothing was said for this long


class View:
    def __init__(self, stream):
        self.stream = stream
        self.live = stream.isatty()
        self.lock = threading.Lock()
        self.running = {}  # name -> start
        self.last_word = time.monotonic()

    def started(self, step):
        with self.lock:
            self.running[step.name] = time.monotonic()
            self.draw()

    def still_running(self):
        with self.lock:
            if self.live:
                self.draw()
            elif time.monotonic() - self.last_word > QUIET_S:
                self.line("     ...  " + self.what_runs())

    def finished(self, result):
        with self.lock:
            self.running.pop(result.step.name, None)
            count = result.count
            word = "FAIL" if count.failed else "skip" if not count.passed else "ok"
            found = [f"{n} {what}" for n, what in ((count.passed, "passed"), (count.failed, "failed"),
                                                   (count.skipped, "skipped")) if n]
            text = f"{word:>4} {result.seconds:6.1f} s  {result.step.name}"
            if count.passed + count.failed + count.skipped > 1:
                text += f": {', '.join(found)}"
            if result.why:
                text += f" ({result.why})"
            self.line(text)
            if count.failed:
                self.line(indented(result.output))
            self.draw()

    def note(self, text):
        with self.lock:
            self.line(text)

    def finish(self, results):
        """The last line; the exit status."""
        passed, failed, skipped = (sum(getattr(result.count, what) for result in results)
                                   for what in ("passed", "failed", "skipped"))
        broken = [result.step.name for result in results if result.count.failed]
        with self.lock:
            if broken:
                self.line("failed: " + ", ".join(broken))
            self.line(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
        return 0 if passed and not failed else 1

    def what_runs(self):
        now = time.monotonic()
        return ", ".join(f"{name} {now - start:.0f} s" for name, start in self.running.items())

    def draw(self):
        if self.live and self.running:
            self.stream.write("\r\033[K" + ("     ...  " + self.what_runs())[:100])
            self.stream.flush()

    def line(self, text):
        if self.live:
            self.stream.write("\r\033[K")
        self.stream.write(text + "\n")
        self.stream.flush()
        self.last_word = time.monotonic()


def indented(output, most=400):
    lines = output.rstrip().splitlines()
    if len(lines) > most:
        cut = len(lines) - most
        lines = lines[:most // 4] + [f"[... {cut} lines left out ...]"] + lines[-(most - most // 4):]
    return "\n".join("      | " + line for line in lines)
