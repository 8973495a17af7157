/* SPDX-License-Identifier: ISC */
/* acpi_eval.c - evaluating names: integers, methods, identities. */
#include "bus/acpi_impl.h"
#include "bus/acpi_resource.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include <linux/errno.h>

int
acpi_errno(acpi_status status)
{
	switch (status) {
	case AE_OK: return 0;
	case AE_NO_MEMORY: return -ENOMEM;
	case AE_NOT_FOUND:
	case AE_NOT_EXIST:
	case AE_TYPE: return -ENOENT;
	case AE_TIME: return -ETIMEDOUT;
	default: return -EIO;
	}
}

acpi_status
acpi_eval(acpi_handle handle, const char *name, struct acpi_object_list *args,
    struct acpi_buffer *result)
{
	return acpi_has_starved() ?
	    AE_NO_MEMORY :
	    acpi_evaluate_object(handle, (acpi_string)name, args, result);
}

int
acpi_eval_run(acpi_handle handle, const char *name, unsigned nargs,
    const uint64_t *args)
{
	union acpi_object arg[2];
	struct acpi_object_list list = { nargs, arg };
	struct acpi_buffer buf = { ACPI_ALLOCATE_BUFFER, NULL };
	acpi_status status;
	unsigned i;

	for (i = 0; i < nargs; i++) {
		arg[i].integer.type = ACPI_TYPE_INTEGER;
		arg[i].integer.value = args[i];
	}
	status = acpi_eval(handle, name, &list, &buf);
	if (ACPI_SUCCESS(status))
		acpi_os_free(buf.pointer);
	return acpi_errno(status);
}

int
acpi_eval_integer(acpi_handle handle, const char *name, uint64_t *out)
{
	union acpi_object result;
	struct acpi_buffer buf = { sizeof(result), &result };
	acpi_status status = acpi_eval(handle, name, NULL, &buf);

	if (ACPI_FAILURE(status))
		return status == AE_BUFFER_OVERFLOW ? -ENOENT :
						      acpi_errno(status);
	if (result.type != ACPI_TYPE_INTEGER)
		return -ENOENT;
	*out = result.integer.value;
	return 0;
}

int
acpi_eval_resources(acpi_handle handle, const char *name,
    struct acpi_resources *out)
{
	struct acpi_buffer buf = { ACPI_ALLOCATE_BUFFER, NULL };
	union acpi_object *o;
	int error = acpi_errno(acpi_eval(handle, name, NULL, &buf));

	memset(out, 0, sizeof(*out));
	if (error != 0)
		return error;
	o = buf.pointer;
	error = o == NULL || o->type != ACPI_TYPE_BUFFER ?
	    -EINVAL :
	    acpi_resource_parse(o->buffer.pointer, o->buffer.length, out);
	acpi_os_free(o);
	return error;
}

/* Three letters of five bits, then four digits.  ACPI 6.4, 19.3.4 */
static void
eisa_text(uint32_t id, char text[8])
{
	static const char digit[] = "0123456789ABCDEF";
	uint32_t v = __builtin_bswap32(id);
	unsigned i;

	for (i = 0; i < 3; i++)
		text[i] = '@' + (v >> (26 - 5 * i) & 31);
	for (i = 0; i < 4; i++)
		text[3 + i] = digit[v >> (12 - 4 * i) & 15];
	text[7] = '\0';
}

bool
acpi_hid_is(acpi_handle handle, const char *id)
{
	struct acpi_buffer buf = { ACPI_ALLOCATE_BUFFER, NULL };
	union acpi_object *o;
	char text[8];
	bool is = false;

	if (ACPI_FAILURE(acpi_eval(handle, "_HID", NULL, &buf)) ||
	    buf.pointer == NULL)
		return false;
	o = buf.pointer;
	if (o->type == ACPI_TYPE_INTEGER) {
		eisa_text(o->integer.value, text);
		is = strcmp(text, id) == 0;
	} else if (o->type == ACPI_TYPE_STRING) {
		is = strcmp(o->string.pointer, id) == 0;
	}
	acpi_os_free(o);
	return is;
}

bool
acpi_is_present(acpi_handle handle)
{
	uint64_t sta;
	int error = acpi_eval_integer(handle, "_STA", &sta);

	return error == -ENOENT || (error == 0 && (sta & 1) != 0);
}
