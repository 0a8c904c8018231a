"""A web server of Python's standard library. It starts again when this file is saved."""

from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from platform import machine, python_version


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        page = f"""<!doctype html>
<title>Python</title>
<h1>Hello from Python {python_version()}</h1>
<p>It runs on {machine()}, and you asked for {escape(self.path)}</p>
"""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())


HTTPServer(("", 8000), Handler).serve_forever()
