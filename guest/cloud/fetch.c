/* SPDX-License-Identifier: ISC */
/* fetch.c - HTTP over plain sockets. */
#include "guest/cloud/fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t
fetch_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ":PORT" or nothing; -EINVAL. */
static int
fetch_port(const char *s)
{
	long v;
	char *end;

	if (*s == '\0')
		return 80;
	if (s[0] != ':' || s[1] < '0' || s[1] > '9')
		return -EINVAL;
	v = strtol(s + 1, &end, 10);
	return *end != '\0' || v < 1 || v > 65535 ? -EINVAL : (int)v;
}

int
fetch_parse(struct fetch_service *s, const char *url)
{
	struct sockaddr_in *in = (void *)&s->at;
	struct sockaddr_in6 *in6 = (void *)&s->at;
	char address[64], *rest = address;
	int port;

	memset(s, 0, sizeof(*s));
	if (strncmp(url, "http://", 7) != 0 ||
	    snprintf(address, sizeof(address), "%s", url + 7) >=
		(int)sizeof(address))
		return -EINVAL;
	address[strcspn(address, "/")] = '\0';
	snprintf(s->host, sizeof(s->host), "%s", address);
	rest += address[0] == '[' ? strcspn(address, "]") :
				    strcspn(address, ":");
	port = fetch_port(rest + (*rest == ']'));
	*rest = '\0';
	if (port < 0)
		return port;
	if (address[0] == '[') {
		s->at_len = sizeof(*in6);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, address + 1, &in6->sin6_addr) == 1 ?
		    0 :
		    -EINVAL;
	}
	s->at_len = sizeof(*in);
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, address, &in->sin_addr) == 1 ? 0 : -EINVAL;
}

/* Until `events` on the socket, or the time is up. */
static int
fetch_wait(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left;
	int n;

	for (;;) {
		left = deadline - fetch_now_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int
fetch_connect(int fd, const struct fetch_service *s, int64_t deadline)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (connect(fd, (const void *)&s->at, s->at_len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	error = fetch_wait(fd, POLLOUT, deadline);
	if (error != 0)
		return error;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

static int
fetch_send(int fd, const struct buf *request, int64_t deadline)
{
	size_t done = 0;
	int error = 0;

	while (error == 0 && done < request->len) {
		ssize_t n = send(fd, request->data + done, request->len - done,
		    MSG_NOSIGNAL);

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN)
			error = fetch_wait(fd, POLLOUT, deadline);
		else if (errno != EINTR)
			error = -errno;
	}
	return error;
}

static int
fetch_receive(int fd, struct http_answer *a, int64_t deadline)
{
	char piece[4096];
	int error = 0;

	while (error == 0) {
		ssize_t n = recv(fd, piece, sizeof(piece), 0);

		if (n == 0)
			return http_end(a);
		if (n > 0)
			error = http_feed(a, piece, (size_t)n);
		else if (errno == EAGAIN)
			error = fetch_wait(fd, POLLIN, deadline);
		else if (errno != EINTR)
			error = -errno;
		/* One that always has more to say is late, too. */
		if (error == 0 && fetch_now_ms() >= deadline)
			error = -ETIMEDOUT;
	}
	return error < 0 ? error : 0;
}

int
fetch(const struct fetch_service *s, const char *method, const char *path,
    const char *headers, int timeout_ms, struct http_answer *a)
{
	int64_t deadline = fetch_now_ms() + timeout_ms;
	struct buf request = { 0 };
	int fd, error;

	http_init(a);
	fd = socket(s->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd < 0)
		return -errno;
	buf_format(&request,
	    "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: remora-cloud\r\n"
	    "Accept: */*\r\nConnection: close\r\n%s%s\r\n",
	    method, path, s->host,
	    strcmp(method, "PUT") == 0 ? "Content-Length: 0\r\n" : "", headers);
	error = fetch_connect(fd, s, deadline);
	if (error == 0)
		error = fetch_send(fd, &request, deadline);
	if (error == 0)
		error = fetch_receive(fd, a, deadline);
	buf_fini(&request);
	close(fd);
	return error;
}
