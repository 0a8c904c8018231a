"""Answers uploads with their length and SHA-256."""
import hashlib
import http.server
import json


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        left = int(self.headers['Content-Length'])
        length, digest = left, hashlib.sha256()
        while left > 0:
            piece = self.rfile.read(min(left, 1 << 20))
            if not piece:
                return
            digest.update(piece)
            left -= len(piece)
        self.answer('application/json', json.dumps({'length': length, 'sha256': digest.hexdigest()}))

    def do_GET(self):
        self.answer('text/html', '<!doctype html><title>Uploads</title><h1>Uploads</h1>')

    def answer(self, media_type, text):
        body = text.encode()
        self.send_response(200)
        self.send_header('Content-Type', media_type)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(('', 9000), Handler).serve_forever()
