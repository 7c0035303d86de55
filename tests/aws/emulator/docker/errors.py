"""What the emulator expects `docker.errors` to have."""


class DockerException(Exception):
    pass


class NotFound(DockerException):
    pass


class ImageNotFound(NotFound):
    pass


class APIError(DockerException):
    pass
