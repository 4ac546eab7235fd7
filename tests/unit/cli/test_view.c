/* SPDX-License-Identifier: Apache-2.0 */
/* THREATS.md H1, H4: what a person's machine keeps of the cluster is believed only as far as it is signed and belongs together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cluster/secret.h"
#include "home.h"
#include "view.h"
#include "view_object.h"

static struct home home;

static int start(void **state)
{
	(void)state;
	home_make(&home);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	home_done(&home);
	return 0;
}

static enum cluster_err load(void)
{
	struct profile p;
	struct view *v = NULL;
	struct diag d;
	enum cluster_err e;

	diag_clear(&d);
	assert_int_equal(profile_load(&p, &d), CLUSTER_OK);
	e = view_load(&p, &v, &d);
	view_free(v);
	return e;
}

static void test_loads(void **state)
{
	struct profile p;
	struct view *v = NULL;
	struct diag d;

	(void)state;
	assert_int_equal(profile_load(&p, &d), CLUSTER_OK);
	assert_string_equal(p.name, "alice");
	assert_memory_equal(p.pin, home.p.pin, sizeof p.pin);
	assert_true(id_equal(&p.device, &home.p.device));
	assert_int_equal(view_load(&p, &v, &d), CLUSTER_OK);
	assert_int_equal(v->dir->n_nodes, 3);
	assert_int_equal(v->dir->n_people, 0);
	assert_string_equal(v->root.name, "prod");
	view_free(v);
}

/* One file at a time: another cluster's, flipped, cut short, gone. */
static void test_tampering(void **state)
{
	struct trustgen *other = trustgen_new("evil", home.g->now);
	const char *names[] = { PROFILE_ROOT, PROFILE_KEYSET, PROFILE_HEAD, home.object[DIRECTORY_NODES], home.object[DIRECTORY_KIND_N] };
	const char *texts[] = { trustgen_root_text(other), trustgen_keyset_text(other), NULL, "[]", NULL };
	struct secret *good = NULL;
	char *copy;
	size_t i, n;

	(void)state;
	texts[4] = trustgen_directory(other, 9, trustgen_sample(other))->text;
	texts[2] = trustgen_head(other, 9, texts[0], texts[1], trustgen_directory(other, 9, trustgen_sample(other)), trustgen_revocations(other, 1, "[]"), 1);
	for (i = 0; i < 5; i++) {
		assert_true(names[i][0] != '\0');
		assert_int_equal(profile_read(&home.p, names[i], false, &good, NULL), CLUSTER_OK);
		copy = strndup((const char *)good->bytes, good->n);
		n = good->n;
		home_write(&home, names[i], texts[i]);
		assert_int_not_equal(load(), CLUSTER_OK);
		copy[n / 2] = copy[n / 2] == 'A' ? 'B' : 'A';
		home_write(&home, names[i], copy);
		assert_int_not_equal(load(), CLUSTER_OK);
		copy[n / 2] = '\0';
		home_write(&home, names[i], copy);
		assert_int_not_equal(load(), CLUSTER_OK);
		assert_int_equal(profile_remove(&home.p, names[i], NULL), CLUSTER_OK);
		assert_int_equal(load(), CLUSTER_ENOTFOUND);
		home_write(&home, names[i], (const char *)good->bytes);
		assert_int_equal(load(), CLUSTER_OK);
		free(copy);
		secret_free(good);
		good = NULL;
	}
	trustgen_free(other);
}

static bool kept(const char *name)
{
	struct secret *text = NULL;
	bool yes = profile_read(&home.p, name, false, &text, NULL) == CLUSTER_OK;

	secret_free(text);
	return yes;
}

/* What other processes may be about to read stays for a while; what the head names stays, however old. */
static void test_prune(void **state)
{
	const char *other = PROFILE_OBJECTS "/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	struct view *v = NULL;
	struct diag d;

	(void)state;
	assert_int_equal(view_load(&home.p, &v, &d), CLUSTER_OK);
	home_write(&home, other, "[]");
	view_object_prune(&home.p, v, time(NULL));
	assert_true(kept(other));
	view_object_prune(&home.p, v, time(NULL) + VIEW_OBJECT_KEEP + 2);
	assert_false(kept(other));
	assert_true(kept(home.object[DIRECTORY_NODES]));
	assert_true(kept(home.object[DIRECTORY_KIND_N]));
	view_free(v);
}

static void test_another_pin(void **state)
{
	struct profile p = home.p;
	struct view *v = NULL;

	(void)state;
	p.pin[0] ^= 1;
	assert_int_equal(view_load(&p, &v, NULL), CLUSTER_ESIGNATURE);
	assert_null(v);
}

/* I3, I4: files that others could have written. */
static void test_modes(void **state)
{
	char path[PROFILE_PATH_MAX + 32];

	(void)state;
	snprintf(path, sizeof path, "%s/" PROFILE_HEAD, home.p.dir);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(load(), CLUSTER_EUNTRUSTED);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(load(), CLUSTER_OK);
}

static void test_profile(void **state)
{
	struct profile p;
	struct secret *text = NULL;
	struct diag d;

	(void)state;
	assert_int_equal(profile_read(&home.p, PROFILE_CONF, false, &text, NULL), CLUSTER_OK);
	home_write(&home, PROFILE_CONF, "[profile]\nurl = https://a\n");
	assert_int_equal(profile_load(&p, &d), CLUSTER_ECONFIG);
	home_write(&home, PROFILE_CONF, "[profile]\nurll = https://a\n");
	assert_int_equal(profile_load(&p, &d), CLUSTER_ECONFIG);
	assert_non_null(strstr(d.text, "did you mean \"url\""));
	assert_int_equal(profile_remove(&home.p, PROFILE_CONF, NULL), CLUSTER_OK);
	assert_int_equal(profile_load(&p, &d), CLUSTER_ECONFIG);
	home_write(&home, PROFILE_CONF, (const char *)text->bytes);
	assert_int_equal(profile_load(&p, &d), CLUSTER_OK);
	secret_free(text);
	assert_int_equal(setenv("CLUSTER_LOGIN_HOME", "relative", 1), 0);
	assert_int_equal(profile_load(&p, &d), CLUSTER_ECONFIG);
	assert_int_equal(setenv("CLUSTER_LOGIN_HOME", home.p.dir, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loads),
		cmocka_unit_test(test_tampering),
		cmocka_unit_test(test_prune),
		cmocka_unit_test(test_another_pin),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_profile),
	};

	return cmocka_run_group_tests_name("view", tests, start, stop);
}
