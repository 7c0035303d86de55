"""A bucket on loopback: put a file there, and download it plainly, in ranges, with several connections.

As a program: s3.py URL BYTES CONNECTIONS BYTES_OF_A_RANGE downloads and throws away; it prints how much came.
"""

import hashlib
import hmac
import http.client
import itertools
import json
import os
import sys
import threading
import time
import urllib.parse

BUCKET = "bench"
# As etl-engine reads: engine/src/source/bytes_of.rs.
CONNECTIONS = 4
RANGE_BYTES = 8 << 20


def credentials():
    """From the environment, as etl-engine takes them."""
    return {
        "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        "AWS_REGION": os.environ.get("AWS_REGION", "us-east-1"),
    }


def presigned(method, endpoint, path, now=None):
    """A URL with its signature in the query (AWS Signature Version 4), good for an hour."""
    keys = credentials()
    now = time.gmtime(now)
    day, moment = time.strftime("%Y%m%d", now), time.strftime("%Y%m%dT%H%M%SZ", now)
    scope = f"{day}/{keys['AWS_REGION']}/s3/aws4_request"
    query = urllib.parse.urlencode(
        {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{keys['AWS_ACCESS_KEY_ID']}/{scope}",
            "X-Amz-Date": moment,
            "X-Amz-Expires": "3600",
            "X-Amz-SignedHeaders": "host",
        },
        quote_via=urllib.parse.quote,
        safe="",
    )
    host = urllib.parse.urlsplit(endpoint).netloc
    request = "\n".join([method, urllib.parse.quote(path), query, f"host:{host}", "", "host", "UNSIGNED-PAYLOAD"])
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{keys['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return f"{endpoint}{urllib.parse.quote(path)}?{query}&X-Amz-Signature={key.hex()}"


def _request(method, endpoint, path, body=None, length=0):
    url = urllib.parse.urlsplit(presigned(method, endpoint, path))
    connection = http.client.HTTPConnection(url.netloc, timeout=600)
    connection.request(method, f"{url.path}?{url.query}", body=body, headers={"Content-Length": str(length)})
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    return reply.status, reply.getheader("Content-Length"), text


def upload(endpoint, file):
    """Puts the file into the bucket unless it is there with the same size. Raises OSError when there is no server."""
    path, size = f"/{BUCKET}/{file.name}", file.stat().st_size
    status, length, _ = _request("HEAD", endpoint, path)
    if status == 200 and length == str(size):
        return
    # 409: the bucket is there already.
    status, _, text = _request("PUT", endpoint, f"/{BUCKET}")
    if status not in (200, 409):
        raise OSError(f"the bucket cannot be made: {status} {text[:300]}")
    with file.open("rb") as body:
        status, _, text = _request("PUT", endpoint, path, body, size)
    if status != 200:
        raise OSError(f"{file.name} cannot be put into the bucket: {status} {text[:300]}")


def download(url, size, connections, range_bytes):
    """Bytes that came."""
    url = urllib.parse.urlsplit(url)
    starts = itertools.count(step=range_bytes)
    came = []

    def take():
        connection = http.client.HTTPConnection(url.netloc, timeout=600)
        buffer = memoryview(bytearray(1 << 20))
        total = 0
        # `next` on a counter is atomic in CPython.
        while (start := next(starts)) < size:
            headers = {"Range": f"bytes={start}-{min(start + range_bytes, size) - 1}"}
            connection.request("GET", f"{url.path}?{url.query}", headers=headers)
            reply = connection.getresponse()
            if reply.status != 206:
                raise OSError(f"{reply.status}: {reply.read()[:300]}")
            while count := reply.readinto(buffer):
                total += count
        came.append(total)

    threads = [threading.Thread(target=take) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(came)


if __name__ == "__main__":
    print(json.dumps({"bytes": download(sys.argv[1], *map(int, sys.argv[2:5]))}))
