"""The Runtime API of Lambda on loopback: real `bootstrap` processes take their events from it, as they do in AWS.

    with Function(program, environment, instances=2) as function:
        answer = function.invoke({"SFNState": "Validate", ...}, seconds=900)
        answer.value, or answer.error and answer.message

An instance is a process with a server of its own; instances take from one queue. A process that ends is started again, and its
event ends as `Runtime.ExitError`; one that passes its deadline is killed, and its event ends as `Sandbox.Timedout`.
"""

import itertools
import json
import math
import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = "/2018-06-01/runtime"
# What AWS gives a function that is late before it ends it; here the kill and its answer need a moment, too.
PATIENCE = 0.1


@dataclass
class Answer:
    """What came of an event: a value, or an error by its type."""

    value: object = None
    error: str | None = None
    message: str = ""
    # Seconds from the handing out of the event to the answer, which AWS bills.
    seconds: float = 0.0
    # By the monotonic clock.
    ended: float = 0.0

    @property
    def billed_ms(self):
        return math.ceil(self.seconds * 1000)


@dataclass
class Invocation:
    number: int
    event: object
    seconds: float
    answer: Answer = field(default_factory=Answer)
    given: float = 0.0
    instance: object = None
    over: threading.Event = field(default_factory=threading.Event)

    def end(self, **answer):
        if not self.over.is_set():
            now = time.monotonic()
            self.answer = Answer(seconds=now - self.given, ended=now, **answer)
            self.over.set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else an answer in two packets waits for the other side's delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def reply(self, status, body=b"{}", headers=()):
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def do_GET(self):
        if self.path != f"{ROOT}/invocation/next":
            return self.reply(404)
        instance = self.server.instance
        found = instance.next()
        if found is None:
            self.close_connection = True
            return None
        deadline = time.time() + found.seconds
        return self.reply(
            200,
            json.dumps(found.event).encode(),
            [
                ("Lambda-Runtime-Aws-Request-Id", f"00000000-0000-4000-8000-{found.number:012}"),
                ("Lambda-Runtime-Deadline-Ms", str(int(deadline * 1000))),
                ("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:us-east-1:123456789012:function:{instance.function.name}"),
                ("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0"),
            ],
        )

    def do_POST(self):
        size = self.headers.get("Content-Length")
        body = self.rfile.read(int(size)) if size else self.chunks()
        instance = self.server.instance
        if self.path == f"{ROOT}/init/error":
            instance.init_error = json.loads(body)
            return self.reply(202)
        told = re.fullmatch(rf"{ROOT}/invocation/[0-9a-f-]+?(\d+)/(response|error)", self.path)
        current = instance.current
        if not told or current is None or int(told[1]) != current.number:
            return self.reply(400)
        if told[2] == "response":
            current.end(value=json.loads(body))
        else:
            error = json.loads(body)
            current.end(error=error["errorType"], message=error["errorMessage"])
        instance.current = None
        return self.reply(202)

    def chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A process that was killed leaves a connection behind."""


class Instance:
    """One process after another, each in the sandbox of the one before."""

    def __init__(self, function, number):
        self.function, self.number = function, number
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.instance = self
        self.current = self.init_error = self.process = None
        # Of all processes: seconds to the first poll; of those that ended: CPU seconds, peak in MiB.
        self.first_polls, self.cpu_ended, self.peak_ended = [], 0.0, 0.0
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.start()

    def start(self):
        function = self.function
        self.polled, self.init_error = False, None
        log = open(function.folder / f"{function.name}-{self.number}.log", "ab")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [function.program],
            env={**function.environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}"},
            cwd=function.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        log.close()
        threading.Thread(target=self.watch, args=(self.process,), daemon=True).start()

    def watch(self, process):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_ended += usage.ru_utime + usage.ru_stime
        self.peak_ended = max(self.peak_ended, usage.ru_maxrss / 1024)
        current, self.current = self.current, None
        if current is not None:
            current.end(error="Runtime.ExitError", message=f"the process ended with {process.returncode}")
        if self.function.ending:
            return
        if not self.polled:
            self.function.broken = f"the function ended with {process.returncode} before its first poll: {self.init_error}"
            return
        self.start()

    def next(self):
        """The next event for the process that asks; None once there is another process, or none."""
        process = self.process
        if not self.polled:
            self.polled = True
            self.first_polls.append(time.monotonic() - self.began)
        while process is self.process and process.returncode is None and not self.function.ending:
            try:
                found = self.function.waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            if process.returncode is not None:
                self.function.waiting.put(found)
                return None
            found.given, found.instance = time.monotonic(), self
            self.current = found
            return found
        return None

    def figures(self):
        """CPU seconds and the peak in MiB, so far."""
        cpu, peak = self.cpu_ended, self.peak_ended
        try:
            ticks = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
            held = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        except OSError:
            return cpu, peak
        return cpu + sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), max(peak, int(held[1]) / 1024 if held else 0.0)


class Function:
    """A function of one or several instances; `memory` in MB."""

    def __init__(self, program, environment, *, instances=1, memory=3008, name="etl"):
        self.program, self.name, self.count, self.memory = str(program), name, instances, memory
        self.folder = Path(tempfile.mkdtemp(prefix="etl-function-"))
        (self.folder / "tmp").mkdir()
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(self.folder / "tmp"),
            "RUST_BACKTRACE": "0",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
            **environment,
        }
        self.waiting, self.numbers = queue.Queue(), itertools.count(1)
        self.ending, self.broken, self.instances = False, None, []
        self.lock, self.invocations, self.billed_ms = threading.Lock(), 0, 0

    def __enter__(self):
        self.instances = [Instance(self, number) for number in range(self.count)]
        return self

    def __exit__(self, *_):
        self.ending = True
        for instance in self.instances:
            if instance.process.returncode is None:
                instance.process.kill()
            instance.server.shutdown()
            instance.server.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def invoke(self, event, seconds=900.0) -> Answer:
        """Hands an event to the next free instance and waits for what comes of it."""
        invocation = Invocation(next(self.numbers), event, seconds)
        self.waiting.put(invocation)
        while not invocation.over.wait(PATIENCE):
            if self.broken:
                raise RuntimeError(f"{self.broken}\n{self.log()[-2000:]}")
            if invocation.given and time.monotonic() > invocation.given + seconds + PATIENCE:
                invocation.end(error="Sandbox.Timedout", message=f"Task timed out after {seconds:.2f} seconds")
                invocation.instance.current = None
                invocation.instance.process.kill()
        with self.lock:
            self.invocations += 1
            self.billed_ms += invocation.answer.billed_ms
        return invocation.answer

    def ready(self, seconds=30.0):
        """Waits for the first poll of every instance; gives the seconds of each."""
        end = time.monotonic() + seconds
        while not all(instance.first_polls for instance in self.instances):
            if self.broken or time.monotonic() > end:
                raise RuntimeError(f"{self.broken or 'it does not poll'}\n{self.log()[-2000:]}")
            time.sleep(0.001)
        return [instance.first_polls[0] for instance in self.instances]

    def figures(self):
        """CPU seconds of all instances, and the highest peak in MiB."""
        each = [instance.figures() for instance in self.instances]
        return sum(cpu for cpu, _ in each), max(peak for _, peak in each)

    def log(self):
        """What the instances wrote."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))
