/* SPDX-License-Identifier: ISC */
/* config_test.c - YAML, cloud-config, network-config, meta-data. */
/* unit: guest/cloud/config.c guest/cloud/config_files.c guest/cloud/config_users.c guest/cloud/yaml.c guest/cloud/codec.c guest/cloud/seed.c guest/cloud/netconf.c guest/cloud/nocloud.c guest/cloud/files.c guest/cloud/mem.c guest/cloud/say.c inflate yaml */
#include "guest/cloud/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guest/cloud/netconf.h"
#include "guest/cloud/nocloud.h"
#include "guest/cloud/say.h"
#include "guest/cloud/yaml.h"

static struct config c;

static void
read_config(const char *text)
{
	config_fini(&c);
	config_read(&c, text, strlen(text));
}

static int
tear_down(void **state)
{
	(void)state;
	config_fini(&c);
	return 0;
}

/* ---- YAML ---- */

static void
trees(void **state)
{
	static const char text[] =
	    "a: &x [1, 'two', ~]\nb: *x\nc: {d: !!binary aGk=, a: 1, a: 2}\n";
	const struct yaml_node *list, *map;
	struct yaml y;

	(void)state;
	assert_int_equal(yaml_read(&y, text, sizeof(text) - 1), 0);
	list = yaml_get(y.root, "b");
	assert_ptr_equal(list, yaml_get(y.root, "a"));
	assert_string_equal(yaml_text(yaml_nth(list, 0)), "1");
	assert_true(yaml_nth(list, 0)->plain);
	assert_false(yaml_nth(list, 1)->plain);
	assert_null(yaml_text(yaml_nth(list, 2)));
	assert_null(yaml_nth(list, 3));
	map = yaml_get(y.root, "c");
	assert_string_equal(yaml_text(yaml_get(map, "d")), "hi");
	assert_string_equal(yaml_text(yaml_get(map, "a")), "2");
	assert_ptr_equal(yaml_nth(map, 0), map);
	assert_null(yaml_get(list, "a"));
	assert_null(yaml_get(NULL, "a"));
	yaml_fini(&y);
}

static void
bad_yaml(void **state)
{
	static const char *const bad[] = { "a: [", "a: b: c", "*x", "a: *b",
		"&a [*a]", "\t- x\n y", "a: !!binary '!'", "%YAML 9.9\n---\n",
		"\xff\xfe\xff", "{a", "- \"x" };
	struct buf deep = { 0 };
	struct yaml y;

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(yaml_read(&y, bad[i], strlen(bad[i])),
		    -EBADMSG);
		assert_true(y.why[0] != '\0');
		yaml_fini(&y);
	}
	for (unsigned i = 0; i < 50000; i++)
		buf_add(&deep, "[", 1);
	assert_int_equal(yaml_read(&y, deep.data, deep.len), -EBADMSG);
	assert_non_null(strstr(y.why, "too deep"));
	yaml_fini(&y);
	buf_fini(&deep);
	for (unsigned i = 0; i <= YAML_NODES_MAX; i++)
		buf_add(&deep, "- a\n", 4);
	assert_int_equal(yaml_read(&y, deep.data, deep.len), -EBADMSG);
	yaml_fini(&y);
	buf_fini(&deep);
	assert_int_equal(yaml_read(&y, "", 0), 0);
	assert_null(y.root);
	yaml_fini(&y);
}

static void
words_of_truth(void **state)
{
	static const char text[] = "[yes, No, 'on', \"FALSE\", maybe, 1, ~]";
	static const bool wanted[] = { true, false, true, false, true, true,
		true };
	struct yaml y;

	(void)state;
	assert_int_equal(yaml_read(&y, text, sizeof(text) - 1), 0);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(yaml_bool(yaml_nth(y.root, i), true),
		    wanted[i]);
	yaml_fini(&y);
}

/* ---- cloud-config ---- */

static void
single_values(void **state)
{
	(void)state;
	read_config("hostname: ' box '\nfqdn: box.a.b\ndisable_root: yes\n"
		    "user: bob\nssh_authorized_keys: |\n  k1\n  # no\n\n  k2\n"
		    "preserve_hostname: false\n");
	assert_string_equal(c.hostname, "box");
	assert_string_equal(c.fqdn, "box.a.b");
	assert_true(c.no_root_login);
	assert_false(c.keep_hostname);
	assert_string_equal(c.default_name, "bob");
	assert_int_equal(c.keys.count, 2);
	/* A second one adds to the first. */
	config_read(&c, "hostname: other\nssh_authorized_keys: [k3]", 41);
	assert_string_equal(c.hostname, "other");
	assert_int_equal(c.keys.count, 3);
	read_config("hostname: a b\n");
	assert_null(c.hostname);
	read_config("- a list");
	read_config("hostname: [x]\nusers: {a: b}\nwrite_files: x\nruncmd: x");
	assert_null(c.hostname);
	assert_int_equal(c.nusers + c.nfiles + c.runcmd.len, 0);
}

static void
commands(void **state)
{
	(void)state;
	read_config("runcmd:\n- echo 'a b'\n- [echo, \"it's\", '', $x]\n"
		    "- {no: thing}\n- []\nbootcmd: []\n");
	assert_string_equal(buf_text(&c.runcmd),
	    "#!/bin/sh\necho 'a b'\n'echo' 'it'\\''s' '' '$x'\n");
	assert_int_equal(c.bootcmd.len, 0);
}

static void
file(const char *text, const char *data, mode_t mode)
{
	char config[512];

	snprintf(config, sizeof(config), "write_files:\n- {path: /f, %s}\n",
	    text);
	read_config(config);
	assert_int_equal(c.nfiles, data != NULL);
	if (data == NULL)
		return;
	assert_string_equal(buf_text(&c.file[0].data), data);
	assert_int_equal(c.file[0].mode, mode);
}

static void
files_to_write(void **state)
{
	(void)state;
	file("content: hi", "hi", 0644);
	file("content: ~", "~", 0644);
	file("owner: a", "", 0644);
	file("content: aGk=, encoding: b64, permissions: 0600", "hi", 0600);
	file("content: aGk=, encoding: base64, permissions: '600'", "hi", 0600);
	file("content: !!binary aGk=, permissions: 420", "hi", 0644);
	file("content: hi, permissions: '0o4755'", "hi", 04755);
	file("content: x, permissions: 99999", NULL, 0);
	file("content: x, permissions: rwx", NULL, 0);
	file("content: x, permissions: '08'", NULL, 0);
	file("content: x, encoding: rot13", NULL, 0);
	file("content: '!', encoding: b64", NULL, 0);
	file("content: aGk=, encoding: gz+b64", NULL, 0);
	file("content: [x]", NULL, 0);
	file("source: {uri: 'http://x'}", NULL, 0);
	file("content: H4sIAAAAAAACA8vIBACsKpPYAgAAAA==, encoding: gz+b64",
	    "hi", 0644);
	read_config("write_files: [{path: x}, {content: y}, z, "
		    "{path: /a, owner: 'b:c', append: true, defer: yes}]");
	assert_int_equal(c.nfiles, 1);
	assert_string_equal(c.file[0].owner, "b:c");
	assert_true(c.file[0].append && c.file[0].late);
}

static void
users_and_groups(void **state)
{
	(void)state;
	read_config("users:\n- default\n- name: alice\n  groups: a, b\n"
		    "  uid: '1234'\n  lock_passwd: false\n  passwd: $6$x\n"
		    "  sudo: [\"ALL=(ALL) ALL\\nroot ALL\"]\n- bob\n"
		    "- {name: 'a:b'}\n- {name: ok, gecos: 'x:y'}\n"
		    "- {name: ok, homedir: rel}\n- {name: ok, uid: x}\n"
		    "- {name: ok, shell: \"/bin/sh\\nroot::0:0\"}\n"
		    "- {name: eve, groups: ['x y', '-z', 'a:b'], sudo: false}\n"
		    "- [x]\n"
		    "groups: [one, {two: [alice, 'b,c']}, '../x']\n");
	assert_true(c.users_given && c.default_user);
	assert_int_equal(c.nusers, 3);
	assert_string_equal(c.user[0].name, "alice");
	assert_int_equal(c.user[0].uid, 1234);
	assert_int_equal(c.user[0].groups.count, 2);
	assert_string_equal(c.user[0].hash, "$6$x");
	assert_true(c.user[0].unlocked);
	assert_string_equal(c.user[0].sudo.item[0], "ALL=(ALL) ALL");
	assert_string_equal(c.user[1].name, "bob");
	assert_int_equal(c.user[1].uid, -1);
	assert_int_equal(c.user[2].groups.count, 2);
	assert_int_equal(c.user[2].sudo.count, 0);
	assert_int_equal(c.ngroups, 2);
	assert_int_equal(c.group[0].members.count, 3);
	read_config("users: a, b\n");
	assert_int_equal(c.nusers, 2);
	assert_false(c.default_user);
	read_config("users: []\n");
	assert_true(c.users_given);
}

/* ---- network-config ---- */

static struct net_config n;

static int
read_net(const char *text)
{
	netconf_fini(&n);
	return netconf_read(&n, text, strlen(text));
}

static const char *
dotted(struct in_addr a)
{
	static char text[INET_ADDRSTRLEN];

	return inet_ntop(AF_INET, &a, text, sizeof(text));
}

static void
version_1(void **state)
{
	(void)state;
	assert_int_equal(read_net(
			     "version: 1\nconfig:\n"
			     "- {type: physical, name: eth0, mtu: 1400,\n"
			     "   subnets: [{type: static, address: 10.0.0.9,\n"
			     "     netmask: 255.255.0.0, gateway: 10.0.0.1,\n"
			     "     dns_nameservers: [1.1.1.1]},\n"
			     "     {type: dhcp4}, {type: nonsense}]}\n"
			     "- {type: physical, name: x,\n"
			     "   mac_address: 52:54:00:AA:00:01}\n"
			     "- {type: nameserver, address: [1.1.1.1, 2.2.2.2,"
			     " \"3\\nx\"]}\n- {type: bond}\n- {}\n"),
	    0);
	assert_int_equal(n.nifs, 2);
	assert_true(n.nif[0].dhcp);
	assert_int_equal(n.nif[0].mtu, 1400);
	assert_int_equal(n.nif[0].naddresses, 1);
	assert_int_equal(n.nif[0].address[0].prefix, 16);
	assert_int_equal(n.nif[0].nroutes, 1);
	assert_string_equal(dotted(n.nif[0].route[0].via), "10.0.0.1");
	assert_int_equal(n.nif[0].route[0].mask.s_addr, 0);
	assert_int_equal(n.dns.count, 2);
	assert_true(netconf_matches(&n.nif[0], "eth0", ""));
	assert_false(netconf_matches(&n.nif[0], "eth1", ""));
	assert_true(netconf_matches(&n.nif[1], "eth1", "52:54:00:aa:00:01"));
	assert_false(netconf_matches(&n.nif[1], "x", "52:54:00:aa:00:02"));
	netconf_fini(&n);
}

static void
version_2(void **state)
{
	(void)state;
	assert_int_equal(read_net(
			     "network:\n  version: 2\n  ethernets:\n"
			     "    a: {match: {name: 'en*'}, dhcp4: yes,\n"
			     "      addresses: [10.1.2.3/8, 'fd00::1/64',\n"
			     "        10.1.2.3/33, x/8, 1.2.3.4/, 1::2/129],\n"
			     "      routes: [{to: 10.9.9.9/24, via: 10.0.0.1,\n"
			     "          metric: 7}, {to: 0/0}, {via: x},\n"
			     "        {to: '::/0', via: 'fe80::1'},\n"
			     "        {to: default, via: 10.0.0.2}],\n"
			     "      nameservers: {addresses: ['::1'], search: "
			     "[a.b]}}\n    eth7: {mtu: x}\n  bridges: {}\n"),
	    0);
	assert_int_equal(n.nifs, 2);
	assert_int_equal(n.nif[0].naddresses, 2);
	assert_int_equal(n.nif[0].address[1].family, AF_INET6);
	assert_int_equal(n.nif[0].nroutes, 2);
	assert_string_equal(dotted(n.nif[0].route[0].to), "10.9.9.0");
	assert_int_equal(n.nif[0].route[0].metric, 7);
	assert_true(netconf_matches(&n.nif[0], "enp3", ""));
	assert_false(netconf_matches(&n.nif[0], "eth7", ""));
	assert_true(netconf_matches(&n.nif[1], "eth7", ""));
	assert_int_equal(n.nif[1].mtu, 0);
	assert_int_equal(n.search.count, 1);
	assert_int_equal(read_net("version: 3"), -EINVAL);
	assert_int_equal(read_net("["), -EINVAL);
	assert_int_equal(read_net(""), -EINVAL);
	netconf_fini(&n);
}

/* ---- meta-data ---- */

static void
meta_data(void **state)
{
	static const struct {
		const char *text, *id, *host;
		size_t keys;
	} cases[] = { { "", "nocloud", NULL, 0 }, { "[", "nocloud", NULL, 0 },
		{ "{\"instance-id\": \"../../x\", \"hostname\": \"h\"}",
		    "_._.._x", "h", 0 },
		{ "instance-id: 7\nlocal-hostname: a\nhostname: b\n"
		  "public-keys: [k1, k2]\n",
		    "7", "a", 2 },
		{ "public-keys: {a: k1, b: [k2, k3]}\nlocal-hostname: 'a b'",
		    "nocloud", NULL, 3 },
		{ "public-keys: |\n  k1\n  k2\n", "nocloud", NULL, 2 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seed seed = { 0 };

		nocloud_meta_data(cases[i].text, strlen(cases[i].text), &seed);
		assert_string_equal(seed.instance_id, cases[i].id);
		assert_null(strchr(seed.instance_id, '/'));
		assert_true(seed.instance_id[0] != '.');
		if (cases[i].host == NULL)
			assert_null(seed.hostname);
		else
			assert_string_equal(seed.hostname, cases[i].host);
		assert_int_equal(seed.keys.count, cases[i].keys);
		seed_fini(&seed);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(trees),
		TEST(bad_yaml),
		TEST(words_of_truth),
		TEST(single_values),
		TEST(commands),
		TEST(files_to_write),
		TEST(users_and_groups),
		TEST(version_1),
		TEST(version_2),
		TEST(meta_data),
	};

	say_open(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
