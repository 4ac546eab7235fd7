/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <libsmartcols.h>
#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "exit.h"
#include "out.h"

#define CELL_MAX 1024

struct table {
	struct libscols_table *scols;
	struct libscols_line *line;
	size_t n_columns, at;
	bool failed;
};

struct table *table_new(const char *const *columns)
{
	struct table *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	/* The widths of characters only: numbers and times stay as they are in C. */
	(void)setlocale(LC_CTYPE, "");
	if ((t->scols = scols_new_table()) == NULL)
		t->failed = true;
	for (; !t->failed && columns[t->n_columns] != NULL; t->n_columns++) {
		const char *name = columns[t->n_columns];
		bool right = name[0] == '>';

		t->failed = scols_table_new_column(t->scols, name + right, 0, right ? SCOLS_FL_RIGHT : 0) == NULL;
	}
	return t;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	char text[CELL_MAX], plain[4 * CELL_MAX];
	va_list ap;

	if (t == NULL || t->failed)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	out_plain(text, plain, sizeof plain);
	if (t->at == 0)
		t->line = scols_table_new_line(t->scols, NULL);
	t->failed = t->line == NULL || scols_line_set_data(t->line, t->at, plain) != 0;
	t->at = (t->at + 1) % t->n_columns;
}

int table_end(struct table *t)
{
	bool failed = t == NULL || t->failed;

	if (!failed && scols_table_get_nlines(t->scols) > 0)
		failed = scols_print_table(t->scols) != 0;
	if (t != NULL)
		scols_unref_table(t->scols);
	free(t);
	if (!failed)
		return EXIT_DONE;
	out_error("cannot print the table");
	return EXIT_LATER;
}
