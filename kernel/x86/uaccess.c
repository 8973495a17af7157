/* SPDX-License-Identifier: ISC */
/*
 * uaccess.c - bounds before uaccess_copy.S touches a program's memory, and the
 * search of its exception table.
 */
#include "kern/uaccess.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "x86/layout.h"
#include "x86/machdep.h"
#include <linux/errno.h>

size_t user_copy(void *dst, const void *src, size_t n);
size_t user_clear(void *dst, size_t n);
long user_strcpy(char *dst, const char *src, size_t n);
int user_get32(uint32_t *value, const void *src);
int user_cas32(void *dst, uint32_t old, uint32_t new, uint32_t *seen);

static bool
user_range(uaddr_t addr, size_t len)
{
	return len <= USER_END && addr <= USER_END - len;
}

size_t
copyin_partial(void *dst, uaddr_t src, size_t len)
{
	if (!user_range(src, len))
		return len;
	return user_copy(dst, (const void *)src, len);
}

size_t
copyout_partial(uaddr_t dst, const void *src, size_t len)
{
	if (!user_range(dst, len))
		return len;
	return user_copy((void *)dst, src, len);
}

size_t
clearout_partial(uaddr_t dst, size_t len)
{
	if (!user_range(dst, len))
		return len;
	return user_clear((void *)dst, len);
}

int
copyin(void *dst, uaddr_t src, size_t len)
{
	return copyin_partial(dst, src, len) == 0 ? 0 : -EFAULT;
}

int
copyout(uaddr_t dst, const void *src, size_t len)
{
	return copyout_partial(dst, src, len) == 0 ? 0 : -EFAULT;
}

int
clearout(uaddr_t dst, size_t len)
{
	return clearout_partial(dst, len) == 0 ? 0 : -EFAULT;
}

int
copyin_struct(void *dst, size_t known, uaddr_t src, size_t size)
{
	size_t done, n, i;
	uint8_t rest[64];

	for (done = known; done < size; done += n) {
		n = MIN(size - done, sizeof(rest));
		if (copyin(rest, src + done, n) != 0)
			return -EFAULT;
		for (i = 0; i < n; i++)
			if (rest[i] != 0)
				return -E2BIG;
	}
	if (size < known)
		memset((char *)dst + size, 0, known - size);
	return copyin(dst, src, MIN(size, known));
}

long
copyinstr(char *dst, uaddr_t src, size_t size)
{
	size_t max = size;
	long len;

	if (src >= USER_END)
		return -EFAULT;
	if (max > USER_END - src)
		max = USER_END - src;
	len = user_strcpy(dst, (const char *)src, max);
	if (len < 0)
		return -EFAULT;
	if ((size_t)len == max)
		return max == size ? -ENAMETOOLONG : -EFAULT;
	return len;
}

int
user_load32(uaddr_t src, uint32_t *value)
{
	if (!user_range(src, 4) || user_get32(value, (const void *)src) != 0)
		return -EFAULT;
	return 0;
}

int
user_cmpxchg32(uaddr_t dst, uint32_t old, uint32_t new, uint32_t *seen)
{
	if (!user_range(dst, 4) || user_cas32((void *)dst, old, new, seen) != 0)
		return -EFAULT;
	return 0;
}

uint64_t
uaccess_fixup(uint64_t rip)
{
	const struct extable *e;

	for (e = kernel_extable; e < kernel_extable_end; e++)
		if (e->at == rip)
			return e->go;
	return 0;
}
