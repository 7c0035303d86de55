"""Stands in for Docker's client: a container is the program ETL_BATCH_BIN as a process, whatever the image.

It has the environment of its task and nothing else, runs in a folder of its own, and leaves what it was given and how it ended
in ETL_CONTAINERS: <id>.json and <id>.log.
"""

import json
import os
import subprocess
import uuid
from pathlib import Path

from . import errors  # noqa: F401

FOLDER = Path(os.environ["ETL_CONTAINERS"])


def role_of(labels):
    """The task's role where the emulator enforces policies; it has no other way to a container."""
    from ministack import app
    from ministack.services import ecs

    task = labels.get("com.amazonaws.ecs.task-definition-family"), labels.get("com.amazonaws.ecs.task-definition-version")
    return (ecs._task_defs.get(":".join(map(str, task))) or {}).get("taskRoleArn") if app.AUTH else None


class Container:
    attrs = {"NetworkSettings": {"Networks": {}}}

    def __init__(self, image, environment, labels):
        self.id = uuid.uuid4().hex
        self.image = image
        self.environment = {
            **{name: value for name, value in environment.items() if not name.startswith("AWS_CONTAINER_")},
            "PATH": os.environ["PATH"],
            # What the emulator puts here is a name that only Docker resolves.
            **{name: value for name, value in os.environ.items() if name.startswith(("AWS_", "ETL_STUB"))},
        }
        if role := role_of(labels):
            import faults

            caller = faults.Caller(lambda: self.process.pid, json.loads(environment.get("ETL_REQUEST", "{}")))
            caller.token = environment.get("ETL_TASK_TOKEN")
            self.environment |= faults.new_key(role, role.split(":")[4], caller)
        place = FOLDER / self.id
        place.mkdir(parents=True)
        self.log = open(FOLDER / f"{self.id}.log", "wb")
        self.process = subprocess.Popen(
            [os.environ["ETL_BATCH_BIN"]],
            env={**self.environment, "TMPDIR": str(place)},
            cwd=place,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.note(None)

    def note(self, code):
        text = json.dumps({"environment": self.environment, "pid": self.process.pid, "code": code})
        # Read by others at any time, so whole or not at all.
        part = FOLDER / f"{self.id}.part"
        part.write_text(text)
        part.rename(FOLDER / f"{self.id}.json")

    @property
    def status(self):
        return "running" if self.process.poll() is None else "exited"

    def reload(self):
        pass

    def wait(self, **_):
        code = self.process.wait()
        self.note(code)
        # A shell's way to say by which signal.
        return {"StatusCode": code if code >= 0 else 128 - code}

    def logs(self, **_):
        return b""

    def stop(self, timeout=10):
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def remove(self, **_):
        if self.process.poll() is None:
            self.process.kill()


class Containers:
    def __init__(self):
        self.known = {}

    def run(self, image, environment=None, labels=None, **_):
        container = Container(image, environment or {}, labels or {})
        self.known[container.id] = container
        return container

    def get(self, name):
        if name not in self.known:
            raise errors.NotFound(name)
        return self.known[name]

    def list(self, **_):
        return []


class Images:
    def get(self, name):
        raise errors.ImageNotFound(name)


class Client:
    def __init__(self):
        self.containers = Containers()
        self.images = Images()

    def ping(self):
        return True


def from_env(**_):
    return Client()
