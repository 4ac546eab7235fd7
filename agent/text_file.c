/* SPDX-License-Identifier: Apache-2.0 */
#include "text_file.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "cluster/file.h"
#include "cluster/secret.h"

static bool says(const struct text_file *f, const char *path, const struct wr *w)
{
	const struct file_rules rules = { .owner = f->owner, .forbid = 022, .max_size = f->max, .any_parent = true };
	struct secret *text = NULL;
	bool same;

	if (file_read(path, &rules, &text, NULL) != CLUSTER_OK)
		return false;
	same = text->n == w->n && memcmp(text->bytes, w->p ? w->p : (const uint8_t *)"", w->n) == 0;
	secret_free(text);
	return same;
}

enum cluster_err text_file_put(const struct text_file *f, struct wr *w, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;

	if ((e = file_join(path, sizeof path, f->state_dir, f->name)) != CLUSTER_OK || (e = wr_end(w)) != CLUSTER_OK)
		return diag_set(d, e, "%s/%s: %s", f->state_dir, f->name, err_name(e));
	return says(f, path, w) ? CLUSTER_OK : file_replace(path, w->p ? w->p : (const uint8_t *)"", w->n, 0644, d);
}
