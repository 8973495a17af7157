# SPDX-License-Identifier: ISC
"""web.py - a web server on the host, for machines that fetch from it."""
import contextlib
import http.server
import threading


@contextlib.contextmanager
def web_server(handler):
    """Its port, on 127.0.0.1, for as long as the block lasts."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    server.daemon_threads = True    # a client may be gone without a word
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
