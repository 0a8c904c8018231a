/*
 * A web server for one connection on standard input and output, as BusyBox's nc starts it. Its answers show
 * how a request arrived, and use what HTTP has for pages.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { HEAD_SIZE = 16384, PIECE = 65536, BIG = 1000000 };

static char head[HEAD_SIZE], method[16], target[1024];

/* Reads a head. Returns 0 at the end of the connection. */
static int read_head(void)
{
	size_t length = 0;
	while (length < sizeof head - 1 && read(0, head + length, 1) == 1) {
		head[++length] = 0;
		if (length >= 4 && !strcmp(head + length - 4, "\r\n\r\n"))
			return sscanf(head, "%15s %1023s", method, target) == 2;
	}
	return 0;
}

static char *field(const char *name)
{
	static char value[1024];
	size_t length = strlen(name);
	for (char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
		if (!strncasecmp(line + 2, name, length) && line[2 + length] == ':') {
			sscanf(line + 3 + length, " %1023[^\r]", value);
			return value;
		}
	return "";
}

static void answer(const char *status, const char *fields, const char *body)
{
	printf("HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, fields, strlen(body),
	       strcmp(method, "HEAD") ? body : "");
	fflush(stdout);
}

static void pause_ms(int ms)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};
	/* The client has left. */
	if (poll(&input, 1, ms) > 0 && (input.revents & (POLLHUP | POLLERR)))
		exit(0);
}

static void chunk(const char *text)
{
	printf("%zx\r\n%s\r\n", strlen(text), text);
	fflush(stdout);
}

static void stream(const char *type, const char *form, int count)
{
	char text[64];
	printf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n", type);
	for (int i = 0; i < count; i++) {
		snprintf(text, sizeof text, form, i);
		chunk(text);
		pause_ms(300);
	}
	chunk("");
}

/* Adds up bytes of a body of known or unknown length. */
static void count(size_t length, size_t *bytes, uint32_t *sum)
{
	static unsigned char piece[PIECE];
	while (length > 0) {
		ssize_t got = fread(piece, 1, length < PIECE ? length : PIECE, stdin);
		if (got <= 0)
			exit(1);
		for (ssize_t i = 0; i < got; i++)
			*sum = *sum * 31 + piece[i];
		*bytes += got;
		length -= got;
	}
}

static void upload(void)
{
	size_t bytes = 0, size;
	uint32_t sum = 0;
	int chunks = 0;
	char body[256];
	setvbuf(stdin, NULL, _IOFBF, PIECE);
	if (*field("Content-Length"))
		count(atoll(field("Content-Length")), &bytes, &sum);
	else
		for (char line[64]; fgets(line, sizeof line, stdin) && (size = strtoul(line, NULL, 16)) > 0; chunks++) {
			count(size, &bytes, &sum);
			fgets(line, sizeof line, stdin);
		}
	snprintf(body, sizeof body, "{\"bytes\":%zu,\"sum\":%u,\"chunks\":%d,\"origin\":\"%s\"}", bytes, sum, chunks, field("Origin"));
	answer("200 OK", "Connection: close\r\nContent-Type: application/json\r\n", body);
	exit(0);
}

static void big(void)
{
	static char body[BIG + 1];
	char fields[256];
	size_t from = 0, to = BIG - 1;
	int is_part = sscanf(field("Range"), "bytes=%zu-%zu", &from, &to) >= 1;
	for (size_t i = from; i <= to && i < BIG; i++)
		body[i - from] = 'a' + i % 26;
	body[to - from + 1] = 0;
	snprintf(fields, sizeof fields, "Accept-Ranges: bytes\r\nContent-Range: bytes %zu-%zu/%d\r\n", from, to, BIG);
	answer(is_part ? "206 Partial Content" : "200 OK", is_part ? fields : "Accept-Ranges: bytes\r\n", body);
}

static uint32_t rotate(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

/* SHA-1 of a text of less than 119 bytes (FIPS 180-4), in Base64. */
static void digest(const char *text, char *base64)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, w[80];
	unsigned char message[128] = {0}, hash[21] = {0};
	size_t length = strlen(text), blocks = (length + 9 + 63) / 64;
	memcpy(message, text, length);
	message[length] = 0x80;
	message[blocks * 64 - 2] = length * 8 >> 8;
	message[blocks * 64 - 1] = length * 8;
	for (size_t block = 0; block < blocks; block++) {
		uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
		for (int i = 0; i < 80; i++) {
			const unsigned char *at = message + block * 64 + i * 4;
			w[i] = i < 16 ? (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3] : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
			uint32_t f = i < 20 ? ((b & c) | (~b & d)) + 0x5a827999 : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1 : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc : (b ^ c ^ d) + 0xca62c1d6;
			uint32_t next = rotate(a, 5) + f + e + w[i];
			e = d, d = c, c = rotate(b, 30), b = a, a = next;
		}
		h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
	}
	for (int i = 0; i < 20; i++)
		hash[i] = h[i / 4] >> (24 - i % 4 * 8);
	for (int i = 0; i < 28; i++)
		base64[i] = letters[(hash[i * 6 / 8] << 8 | hash[i * 6 / 8 + 1]) >> (10 - i * 6 % 8) & 63];
	strcpy(base64 + 27, "=");
}

/* Sends each message of a WebSocket back (RFC 6455). */
static void echo_socket(void)
{
	char text[128], accept[32];
	unsigned char start[14], key[4];
	static unsigned char payload[PIECE];
	snprintf(text, sizeof text, "%.64s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", field("Sec-WebSocket-Key"));
	digest(text, accept);
	printf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", accept);
	if (*field("Sec-WebSocket-Protocol"))
		printf("Sec-WebSocket-Protocol: %s\r\n", strtok(field("Sec-WebSocket-Protocol"), ","));
	printf("\r\n");
	fflush(stdout);
	while (fread(start, 1, 2, stdin) == 2) {
		size_t length = start[1] & 127, more = length == 126 ? 2 : 0;
		if (fread(start + 2, 1, more, stdin) != more || fread(key, 1, 4, stdin) != 4)
			break;
		if (more)
			length = start[2] << 8 | start[3];
		if (fread(payload, 1, length, stdin) != length)
			break;
		for (size_t i = 0; i < length; i++)
			payload[i] ^= key[i % 4];
		start[1] &= 127;
		fwrite(start, 1, 2 + more, stdout);
		fwrite(payload, 1, length, stdout);
		fflush(stdout);
		if ((start[0] & 15) == 8)
			break;
	}
	exit(0);
}

/* "zipped" by gzip. */
static const unsigned char zipped[] = {
	0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xab, 0xca, 0x2c, 0x28, 0x48, 0x4d, 1, 0, 0x57, 0x68, 0xc2, 0xe2, 6, 0, 0, 0,
};

static const char page[] =
	"<!doctype html><html lang=en><head><title>A page</title><link rel=stylesheet href=/style.css></head>"
	"<body><h1>Hello from the container</h1><form method=post action=/upload><input name=a value=b><button>Send</button></form>"
	"<script>document.body.dataset.early = WebSocket.toString().includes('native code') ? 'native' : 'shim'</script></body></html>";
static const char worker[] =
	"'use strict';const serve = (port) => {"
	"const socket = new WebSocket(origin.replace('http', 'ws') + '/socket');"
	"socket.onopen = () => socket.send('from a worker');"
	"socket.onmessage = ({ data }) => { port.postMessage(data); socket.close(); };"
	"port.onmessage = ({ data }) => port.postMessage('unexpected ' + JSON.stringify(data)); };"
	"if ('onconnect' in self) onconnect = ({ ports: [port] }) => serve(port); else serve(self);";

static void serve(void)
{
	const char *html = "Content-Type: text/html\r\n", *plain = "Content-Type: text/plain\r\n";
	char *query = strchr(target, '?');
	if (query)
		*query++ = 0;
	if (!strcmp(target, "/"))
		answer("200 OK", html, page);
	else if (!strcmp(target, "/style.css"))
		answer("200 OK", "Content-Type: text/css\r\n", "h1 { color: rgb(1, 2, 3) }");
	else if (!strcmp(target, "/strict"))
		answer("200 OK", "Content-Type: text/html\r\nX-Frame-Options: DENY\r\nContent-Security-Policy: default-src 'none'; script-src 'none'; frame-ancestors 'none'\r\n", page);
	else if (!strcmp(target, "/head"))
		answer("200 OK", plain, head);
	else if (!strcmp(target, "/cookie"))
		answer("200 OK", "Set-Cookie: seen=yes; Path=/\r\nSet-Cookie: secret=1; HttpOnly\r\nContent-Type: text/plain\r\n", field("Cookie"));
	else if (!strcmp(target, "/redirect"))
		answer("302 Found", "Location: http://localhost:8000/head\r\n", "");
	else if (!strcmp(target, "/empty"))
		answer("204 No Content", "", "");
	else if (!strcmp(target, "/unchanged"))
		answer("304 Not Modified", "", "");
	else if (!strcmp(target, "/stream"))
		stream("text/plain", "%d\n", 4);
	else if (!strcmp(target, "/events"))
		stream("text/event-stream", "data: %d\n\n", 100);
	else if (!strcmp(target, "/worker.js"))
		answer("200 OK", "Content-Type: text/javascript\r\n", worker);
	else if (!strcmp(target, "/broken")) {
		printf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\nhalf");
		exit(0);
	} else if (!strcmp(target, "/zipped")) {
		printf("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", sizeof zipped);
		fwrite(zipped, 1, sizeof zipped, stdout);
		fflush(stdout);
	} else if (!strcmp(target, "/upload"))
		upload();
	else if (!strcmp(target, "/big"))
		big();
	else if (!strcmp(target, "/socket"))
		echo_socket();
	else
		answer("404 Not Found", plain, "no such page");
}

int main(void)
{
	setvbuf(stdin, NULL, _IONBF, 0);
	while (read_head())
		serve();
	return 0;
}
