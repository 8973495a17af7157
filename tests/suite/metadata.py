# SPDX-License-Identifier: ISC
"""metadata.py - a cloud's metadata service, played: EC2's tree over HTTP."""
import http.server
import threading

TOKEN = 'AQAEAJ-token=='


class Service:
    """Serves while it is entered (`with`), on a port of 127.0.0.1.

    tree     what stands at each path
    version  1 knows no tokens, 2 wants them
    moods    for a path, what to do before answering well, in turn: a status,
             bytes to be sent in place of an answer, or 'silent'
    chunked  bodies come in pieces
    seen     every request, (method, path)
    """

    def __init__(self, tree, version=2, moods=None, chunked=False):
        self.tree, self.version, self.chunked = tree, version, chunked
        self.moods = {k: list(v) for k, v in (moods or {}).items()}
        self.seen = []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                service.answer(self)

            def do_PUT(self):
                service.answer(self)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0),
                                                      Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.port = self.server.server_address[1]
        self.over = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def reply(self, h, status, body=b''):
        h.send_response(status)
        if self.chunked:
            h.send_header('Transfer-Encoding', 'chunked')
            h.end_headers()
            for i in range(0, len(body), 7):
                h.wfile.write(b'%x;x=y\r\n%s\r\n' % (len(body[i:i + 7]),
                                                    body[i:i + 7]))
            h.wfile.write(b'0\r\nTrailer: x\r\n\r\n')
        else:
            h.send_header('Content-Length', str(len(body)))
            h.end_headers()
            h.wfile.write(body)

    def answer(self, h):
        h.close_connection = True
        self.seen.append((h.command, h.path))
        try:
            self.answer_as_told(h)
        except (BrokenPipeError, ConnectionResetError):
            pass                # the other side has heard enough

    def answer_as_told(self, h):
        moods = self.moods.get(h.path)
        if moods:
            return self.misbehave(h, moods.pop(0))
        if h.command == 'PUT':
            life = h.headers.get('X-aws-ec2-metadata-token-ttl-seconds')
            if self.version == 1:
                return self.reply(h, 405)
            return self.reply(h, 200 if life else 400, TOKEN.encode())
        if self.version == 2 and \
                h.headers.get('X-aws-ec2-metadata-token') != TOKEN:
            return self.reply(h, 401)
        body = self.tree.get(h.path)
        return self.reply(h, 404) if body is None else \
            self.reply(h, 200, body)

    def misbehave(self, h, mood):
        """What services do on a bad day."""
        if isinstance(mood, int):
            return self.reply(h, mood, b'no')
        if isinstance(mood, bytes):
            h.wfile.write(mood)
        elif mood == 'silent':
            self.over.wait(1000)
        return None


def instance(key, user_data, name='node7.internal', number='0=mine'):
    """The tree of an instance with one key."""
    base = '/latest/meta-data/'
    return {base + 'instance-id': b'i-0abc',
            base + 'local-hostname': name.encode(),
            base + 'public-keys/': number.encode(),
            base + 'public-keys/0/openssh-key': key.encode(),
            '/latest/user-data': user_data}
