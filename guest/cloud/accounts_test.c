/* SPDX-License-Identifier: ISC */
/* accounts_test.c - users, groups and keys, in a folder of the test's own. */
/* unit: guest/cloud/accounts.c guest/cloud/keys.c guest/cloud/instance.c guest/cloud/seed.c guest/cloud/files.c guest/cloud/mem.c guest/cloud/say.c */
#include "guest/cloud/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "guest/cloud/files.h"
#include "guest/cloud/instance.h"
#include "guest/cloud/say.h"

#define HOMES "/home"

static char root[] = "/tmp/remora-accounts-XXXXXX";

static const char *
at(const char *path)
{
	static char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return full;
}

static void
put(const char *path, const char *text)
{
	assert_int_equal(file_make_parents(at(path)), 0);
	assert_int_equal(file_write(at(path), text, strlen(text), 0644, false),
	    0);
}

/* What stands in a file; the caller's until the next call. */
static const char *
get(const char *path)
{
	static struct buf text;

	buf_fini(&text);
	if (file_read(at(path), 1 << 20, &text) != 0)
		buf_fini(&text);
	return buf_text(&text);
}

static mode_t
mode(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(at(path), &st), 0);
	return st.st_mode & 07777;
}

static int
clear(void **state)
{
	char command[600];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s; mkdir %s", root, root);
	return system(command);
}

static int
end(void **state)
{
	char command[600];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

/* Files of a user who may be anybody: the test runs as anyone. */
static void
put_me(void)
{
	char line[200];

	snprintf(line, sizeof(line),
	    "root:x:0:0::/root:/bin/sh\n"
	    "me:x:%u:%u::" HOMES "/me:/bin/sh\n",
	    (unsigned)getuid(), (unsigned)getgid());
	put("/etc/passwd", line);
}

static void
groups(void **state)
{
	char *who[] = { "a", "b", "a" };
	struct strings members = { who, 3 };
	gid_t gid = 7;

	(void)state;
	put("/etc/group", "root:x:0:\nadm:x:4:c\nodd:x\n\nlast:x:1000:");
	assert_int_equal(group_add(root, "adm", &members), 0);
	assert_int_equal(group_add(root, "new", &members), 0);
	assert_int_equal(group_add(root, "last", &members), 0);
	assert_int_equal(group_add(root, "odd", &members), 0);
	assert_string_equal(get("/etc/group"),
	    "root:x:0:\nadm:x:4:c,a,b\nodd:x\n\nlast:x:1000:a,b\n"
	    "new:x:1001:a,b\n");
	assert_int_equal(group_find(root, "new", &gid), 0);
	assert_int_equal(gid, 1001);
	assert_int_equal(group_find(root, "77", &gid), 0);
	assert_int_equal(gid, 77);
	assert_int_equal(group_find(root, "none", &gid), -ENOENT);
	assert_int_equal(group_find(root, "odd", &gid), -ENOENT);
}

static void
users(void **state)
{
	char *names[] = { "adm", "wheel" }, *rules[] = { "ALL=(ALL) ALL" };
	struct config_user u = { .name = "alice",
		.uid = -1,
		.no_home = true,
		.groups = { names, 2 },
		.sudo = { rules, 1 } };
	struct account a;

	(void)state;
	put("/etc/passwd", "root:x:0:0::/root:/bin/sh\nx:x:1000:1000::/:/y");
	put("/etc/group", "root:x:0:\nadm:x:4:\nx:x:1001:\n");
	assert_int_equal(account_add(root, &u), 0);
	assert_non_null(strstr(get("/etc/passwd"),
	    "\nx:x:1000:1000::/:/y\nalice:x:1002:1002::" HOMES
	    "/alice:/bin/sh\n"));
	assert_string_equal(get("/etc/group"),
	    "root:x:0:\nadm:x:4:alice\nx:x:1001:\nalice:x:1002:\n"
	    "wheel:x:1003:alice\n");
	assert_non_null(strstr(get("/etc/shadow"), "\nalice:*:"));
	assert_int_equal(mode("/etc/shadow"), 0600);
	assert_string_equal(get("/etc/sudoers.d/90-cloud-init-users"),
	    "alice ALL=(ALL) ALL\n");
	assert_int_equal(mode("/etc/sudoers.d/90-cloud-init-users"), 0440);
	/* Again: nothing twice. */
	u.sudo.count = 0;
	assert_int_equal(account_add(root, &u), 0);
	assert_null(
	    strstr(strstr(get("/etc/passwd"), "alice:") + 1, "\nalice:"));
	assert_int_equal(account_find(root, "alice", &a), 0);
	assert_int_equal(a.uid, 1002);
	account_fini(&a);
	assert_int_equal(account_find(root, "lice", &a), -ENOENT);
	account_fini(&a);
	/* Another's number, and a group that is not there. */
	u = (struct config_user){ .name = "bob", .uid = 1002, .no_home = true };
	assert_int_equal(account_add(root, &u), -EEXIST);
	u.uid = -1;
	u.primary_group = "nowhere";
	assert_int_equal(account_add(root, &u), -ENOENT);
	assert_null(strstr(get("/etc/passwd"), "bob"));
}

static void
from_nothing(void **state)
{
	struct config_user u = { .name = "sys",
		.uid = -1,
		.no_home = true,
		.system = true,
		.hash = "$6$h",
		.shell = "/bin/false" };

	(void)state;
	assert_int_equal(account_add(root, &u), 0);
	assert_string_equal(get("/etc/passwd"),
	    "root:x:0:0:root:/root:/bin/sh\n"
	    "sys:x:100:100::" HOMES "/sys:/bin/false\n");
	assert_non_null(strstr(get("/etc/shadow"), "\nsys:!$6$h:"));
}

static void
keys(void **state)
{
	char *some[] = { "ssh-rsa AAAA1 x", "ssh-rsa AAAA2 y",
		"ssh-rsa AAAA1 renamed", "odd" };
	struct strings list = { some, 4 };

	(void)state;
	put_me();
	put(HOMES "/me/.ssh/authorized_keys",
	    "from=\"1.2.3.4\" ssh-rsa AAAA2 old\n#ssh-rsa AAAA1\nlast AAAA3");
	assert_int_equal(keys_add(root, "me", &list, "P "), 0);
	assert_string_equal(get(HOMES "/me/.ssh/authorized_keys"),
	    "from=\"1.2.3.4\" ssh-rsa AAAA2 old\n#ssh-rsa AAAA1\nlast AAAA3\n"
	    "P ssh-rsa AAAA1 x\nP odd\n");
	assert_int_equal(mode(HOMES "/me/.ssh"), 0700);
	assert_int_equal(mode(HOMES "/me/.ssh/authorized_keys"), 0600);
	assert_int_equal(keys_add(root, "nobody", &list, ""), -ENOENT);
	/* Not through somebody's link. */
	clear(NULL);
	put_me();
	assert_int_equal(mkdir(at("/home"), 0755), 0);
	assert_int_equal(mkdir(at(HOMES "/me"), 0755), 0);
	assert_int_equal(symlink("/", at(HOMES "/me/.ssh")), 0);
	assert_int_equal(keys_add(root, "me", &list, ""), -ENOTDIR);
}

static void
instances(void **state)
{
	struct seed seed = { .instance_id = "i-1" };
	struct instance i;
	char *script;

	(void)state;
	buf_format(&seed.user_data, "secret");
	instance_open(&i, root, &seed);
	assert_true(instance_once(&i, "x"));
	assert_false(instance_once(&i, "x"));
	assert_true(instance_once(&i, "y"));
	script = instance_script(&i, "s", &seed.user_data);
	assert_non_null(script);
	assert_int_equal(access(script, X_OK), 0);
	free(script);
	instance_fini(&i);
	assert_string_equal(get("/var/lib/cloud/instance/user-data.txt"),
	    "secret");
	assert_int_equal(mode("/var/lib/cloud/instances/i-1/user-data.txt"),
	    0600);
	instance_open(&i, root, &seed);
	assert_false(instance_once(&i, "x"));
	instance_fini(&i);
	seed.instance_id = "i-2";
	instance_open(&i, root, &seed);
	assert_true(instance_once(&i, "x"));
	assert_string_equal(get("/var/lib/cloud/data/instance-id"), "i-2\n");
	instance_fini(&i);
	buf_fini(&seed.user_data);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, clear)
	const struct CMUnitTest tests[] = {
		TEST(groups),
		TEST(users),
		TEST(from_nothing),
		TEST(keys),
		TEST(instances),
	};

	say_open(open("/dev/null", O_WRONLY | O_CLOEXEC));
	if (mkdtemp(root) == NULL)
		return 1;
	return cmocka_run_group_tests(tests, NULL, end);
}
