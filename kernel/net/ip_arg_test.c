/* SPDX-License-Identifier: ISC */
/* ip_arg_test.c - ip= as Linux reads it, and nonsense. */
/* unit: kernel/net/ip_arg.c */
#include "net/ip_arg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

static void
whole(void **state)
{
	struct ip_arg a;

	(void)state;
	assert_int_equal(ip_arg_parse("10.0.2.15:10.0.2.1:10.0.2.2:"
				      "255.255.255.0:box:eth1:off:10.0.2.3:"
				      "10.0.2.4:10.0.2.5",
			     &a),
	    0);
	assert_int_equal(a.client, inet_addr("10.0.2.15"));
	assert_int_equal(a.server, inet_addr("10.0.2.1"));
	assert_int_equal(a.gateway, inet_addr("10.0.2.2"));
	assert_int_equal(a.netmask, inet_addr("255.255.255.0"));
	assert_string_equal(a.hostname, "box");
	assert_string_equal(a.device, "eth1");
	assert_true(a.off);
	assert_false(a.dhcp);
	assert_int_equal(a.dns[0], inet_addr("10.0.2.3"));
	assert_int_equal(a.dns[1], inet_addr("10.0.2.4"));
	assert_int_equal(a.ntp, inet_addr("10.0.2.5"));
}

static void
short_ones(void **state)
{
	struct ip_arg a;

	(void)state;
	assert_int_equal(ip_arg_parse("dhcp", &a), 0);
	assert_true(a.dhcp);
	assert_int_equal(ip_arg_parse("on", &a), 0);
	assert_true(a.dhcp);
	assert_int_equal(ip_arg_parse("off", &a), 0);
	assert_true(a.off && !a.dhcp);
	assert_int_equal(ip_arg_parse("none", &a), 0);
	assert_true(a.off);
	assert_int_equal(ip_arg_parse("::::host:eth0:dhcp", &a), 0);
	assert_true(a.dhcp);
	assert_string_equal(a.hostname, "host");
	assert_string_equal(a.device, "eth0");
	assert_int_equal(ip_arg_parse(":::::eth0", &a), 0);
	assert_true(a.dhcp);
	assert_int_equal(ip_arg_parse("192.168.7.9", &a), 0);
	assert_int_equal(a.netmask, inet_addr("255.255.255.0"));
	assert_int_equal(ip_arg_parse("172.16.0.9::172.16.0.1", &a), 0);
	assert_int_equal(a.netmask, inet_addr("255.255.0.0"));
	assert_int_equal(ip_arg_parse("10.1.1.9", &a), 0);
	assert_int_equal(a.netmask, inet_addr("255.0.0.0"));
	assert_false(a.dhcp);
	assert_int_equal(ip_arg_parse("", &a), 0);
	assert_true(a.dhcp);
}

static void
nonsense(void **state)
{
	static const char *const bad[] = { "x", "dhcpx", "10.0.2", "10.0.2.256",
		"10.0.2.1.", "10..2.1", "1.2.3.4:5", "::::::never",
		":::::sixteen-letters-",
		"1.2.3.4:::::::::::", "1.2.3.4:::::::::1.2.3.4:1.2.3.4",
		"::::0123456789012345678901234567890123456789"
		"0123456789012345678901234:eth0" };
	struct ip_arg a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ip_arg_parse(bad[i], &a), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(short_ones),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
