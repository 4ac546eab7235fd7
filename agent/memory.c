/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <string.h>
#include <sys/mman.h>

#include "cluster/file.h"

enum cluster_err memory_begin(const char *name, struct memory *ret, struct diag *d)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return diag_errno(d, "memfd_create");
	*ret = (struct memory){ .fd = fd };
	return CLUSTER_OK;
}

enum cluster_err memory_put(void *memory, const void *p, size_t n)
{
	struct memory *m = memory;
	enum cluster_err e;

	if ((e = file_write_all(m->fd, p, n)) == CLUSTER_OK)
		m->n += n;
	return e;
}

enum cluster_err memory_end(struct memory *m, struct diag *d)
{
	void *p;

	if (m->n == 0) {
		file_close(m->fd);
		*m = (struct memory){ .p = NULL };
		return CLUSTER_OK;
	}
	/* private: a shared mapping would stand in the way of a seal */
	p = mmap(NULL, m->n, PROT_READ, MAP_PRIVATE, m->fd, 0);
	if (p == MAP_FAILED)
		return diag_errno(d, "mmap of %zu bytes", m->n);
	m->p = p;
	return CLUSTER_OK;
}

void memory_done(struct memory *m)
{
	if (m->p)
		munmap((void *)(uintptr_t)m->p, m->n);
	if (m->fd > 0)
		file_close(m->fd);
	*m = (struct memory){ .p = NULL };
}
