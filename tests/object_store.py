"""A server on this machine that answers as an S3 store does, from a folder: list, head, get."""

import threading
import xml.sax.saxutils as xml
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class _Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self._file(head=True)

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "list-type" in query:
            self._list(query)
        else:
            self._file()

    def log_message(self, *arguments):
        pass

    def _file(self, head=False):
        self.server.requests.append(self.path)
        path = self.server.root / unquote(urlsplit(self.path).path).strip("/")
        if self.server.refuses:
            self._answer(403, b"<Error><Code>AccessDenied</Code></Error>", head)
        elif path.is_dir() and len(path.relative_to(self.server.root).parts) == 1:
            self._answer(200, b"", head)  # the bucket
        elif not path.is_file():
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>", head)
        else:
            self._part(path, head)

    def _part(self, path, head):
        data, status = path.read_bytes(), 200
        size = len(data)
        if requested := self.headers.get("Range"):
            first, last = requested.removeprefix("bytes=").split("-")
            data = data[int(first) : int(last) + 1 if last else None]
            status = 206
        self.send_response(status)
        self.send_header("Content-Length", str(size if head else len(data)))
        self.send_header("Last-Modified", formatdate(path.stat().st_mtime, usegmt=True))
        self.end_headers()
        if not head:
            self.wfile.write(data)

    def _list(self, query):
        bucket = self.server.root / unquote(urlsplit(self.path).path).strip("/").split("/")[0]
        prefix, deep = query.get("prefix", [""])[0], "delimiter" not in query
        keys = sorted(
            path.relative_to(bucket).as_posix() for path in bucket.rglob("*") if path.is_file()
        )
        keys = [key for key in keys if key.startswith(prefix)]
        flat = [key for key in keys if deep or "/" not in key[len(prefix) :]]
        folders = {prefix + key[len(prefix) :].split("/")[0] for key in keys if key not in flat}
        parts = "".join(
            f"<Contents><Key>{xml.escape(key)}</Key><Size>{(bucket / key).stat().st_size}</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for key in flat
        )
        parts += "".join(
            f"<CommonPrefixes><Prefix>{xml.escape(folder)}/</Prefix></CommonPrefixes>"
            for folder in sorted(folders)
        )
        text = (
            f"<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>{len(keys)}</KeyCount>"
            f"{parts}</ListBucketResult>"
        )
        self._answer(403 if self.server.refuses else 200, text.encode())

    def _answer(self, status, data, head=False):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "application/xml")
        self.end_headers()
        if not head:
            self.wfile.write(data)


@contextmanager
def serving(root):
    """A store whose buckets are the folders in `root`; `port`, `requests` and `refuses` are its."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.root, server.refuses, server.requests = root, False, []
    server.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
